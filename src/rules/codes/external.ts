/** Findings about ExternalServices. docs/errors.md is generated from this table; a code is never reused for another meaning. */

import type { CodeTable } from './code-table.ts';

export const externalCodes = {
  'FW-RULE-150': {
    title: 'A namespace on an object whose kind has none',
    cure: 'Remove metadata.namespace: the object is for the whole mesh.',
  },
  'FW-RULE-151': {
    title: 'Bad external host',
    cure: 'Write a DNS name with at least one dot, in lower case: api.example.com, or *.example.com for all names below.',
  },
  'FW-RULE-152': { title: 'Bad port number', cure: 'Give a whole number from 1 to 65535.' },
  'FW-RULE-153': { title: 'Unknown protocol', cure: 'Use one of http, http2, grpc, tcp and tls.' },
  'FW-RULE-154': { title: 'Bad port name', cure: 'Use lower-case letters, digits and "-", at most 63 characters.' },
  'FW-RULE-155': { title: 'A port stands there twice', cure: 'Name each port number once.' },
  'FW-RULE-156': { title: 'No endpoints', cure: 'Give the addresses, or use resolution: dns.' },
  'FW-RULE-157': {
    title: 'Endpoints beside resolution: dns',
    cure: 'Remove the endpoints, or use resolution: static.',
  },
  'FW-RULE-158': {
    title: 'A wildcard cannot be looked up',
    cure: 'Name the hosts one by one, or give endpoints with resolution: static.',
  },
  'FW-RULE-159': { title: 'An endpoint names a port that is not there', cure: 'Name one of the ports of the object.' },
  'FW-RULE-160': {
    title: 'A captured workload cannot reach this port',
    cure: 'Use tls if the protocol is TLS, or resolution: static; in explicit mode CONNECT reaches it.',
  },
  'FW-RULE-161': { title: 'Two endpoints have one address', cure: 'Name each address once.' },
  'FW-RULE-162': {
    title: 'Bad endpoint address',
    cure: 'Give an IPv4 or IPv6 address that a host can have; names are for resolution: dns.',
  },
  'FW-RULE-163': { title: 'Bad endpoint weight', cure: 'Give a whole number from 1 to 10000.' },
  'FW-RULE-164': { title: 'Bad locality', cure: 'Give a label value of at most 63 characters.' },
  'FW-RULE-165': { title: 'Unknown resolution', cure: 'Use static or dns.' },
  'FW-RULE-166': { title: 'Bad cluster name', cure: 'Name a registered cluster; leave `from` out for all clusters.' },
  'FW-RULE-167': {
    title: 'Client certificates for a host outside',
    cure: 'Use mode: simple, or leave it out; where the host wants a certificate, let the workload speak TLS itself (protocol: tls).',
  },
  'FW-RULE-168': { title: 'Bad name to ask for in TLS', cure: 'Give a DNS name without wildcards, in lower case.' },
  'FW-RULE-169': { title: 'Bad name in a certificate', cure: 'Give DNS names without wildcards, in lower case.' },
  'FW-RULE-170': {
    title: 'Another ExternalService has the host',
    cure: 'Remove the host from one of the two, or let them be reached from different clusters.',
  },
  'FW-RULE-171': {
    title: 'The host is a name of a service in the mesh',
    cure: 'Remove the host: what the mesh has is reached by its Service.',
  },
  'FW-RULE-172': {
    title: 'No such cluster is registered',
    cure: 'Register the cluster, or correct the name; it counts from when it appears.',
  },
  'FW-RULE-173': {
    title: 'Bad certificates of authorities',
    cure: 'Write system, or certificates in PEM, whole and one after another.',
  },
  'FW-RULE-174': { title: 'Unknown version of TLS', cure: 'Use TLSv1.2 or TLSv1.3.' },
  'FW-RULE-175': {
    title: 'TLS inside TLS',
    cure: 'Leave tls out where workloads speak TLS themselves, or give the protocol that is spoken inside.',
  },
  'FW-RULE-176': {
    title: 'No name to ask for in TLS',
    cure: 'Give tls.sni, or name the hosts without wildcards.',
  },
} as const satisfies CodeTable;
