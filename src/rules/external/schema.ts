/**
 * ExternalService's spec, said once: the CRD, the check of what people write and the TypeScript types come from here. What a schema cannot say
 * stands as CEL for the API server and again in parse.ts; test/support/bad-externals.ts holds both to the same answers.
 */

import type { FromSchema, Schema } from '../objects/schema-types.ts';
import { tlsSchema } from './schema-tls.ts';

const portNumber = {
  type: 'integer',
  format: 'int32',
  description: 'The port that clients name.',
  minimum: 1,
  maximum: 65535,
  'x-fairway': { code: 'FW-RULE-152', says: 'must be a port number from 1 to 65535' },
} as const satisfies Schema;

const place = (description: string) =>
  ({
    type: 'string',
    description,
    minLength: 1,
    maxLength: 63,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$',
    'x-fairway': { code: 'FW-RULE-164', says: 'must be 1 to 63 letters, digits, "-", "_" and "."', keepsPattern: true },
  }) as const satisfies Schema;

const endpoint = {
  type: 'object',
  description: 'One address behind the hosts.',
  required: ['address'],
  properties: {
    address: {
      type: 'string',
      description: 'An IPv4 or IPv6 address.',
      minLength: 2,
      maxLength: 45,
      pattern: '^[0-9a-fA-F:.]+$',
      'x-fairway': { code: 'FW-RULE-162', says: 'must be an IP address', keepsPattern: true },
      'x-kubernetes-validations': [{ rule: 'isIP(self)', message: 'address must be an IP address' }],
    },
    ports: {
      type: 'array',
      description: 'Where it listens, for ports at which it listens under another number.',
      items: {
        type: 'object',
        description: 'One port of the endpoint.',
        required: ['number', 'targetPort'],
        properties: {
          number: { ...portNumber, description: 'One of the ports of the object.' },
          targetPort: { ...portNumber, description: 'The port at which the endpoint listens.' },
        },
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['number'],
    },
    locality: {
      type: 'object',
      description: 'Where it is; shown, and used by load balancing that looks at localities.',
      properties: { region: place('The region.'), zone: place('The zone.'), subzone: place('The part of the zone.') },
    },
    weight: {
      type: 'integer',
      format: 'int32',
      description: 'Its share among the endpoints. Default 1.',
      minimum: 1,
      maximum: 10000,
      'x-fairway': { code: 'FW-RULE-163', says: 'must be a whole number from 1 to 10000' },
    },
  },
} as const satisfies Schema;

export const externalSpecSchema = {
  type: 'object',
  description: 'Hosts outside the mesh, and how they are reached.',
  required: ['hosts', 'ports', 'resolution'],
  properties: {
    hosts: {
      type: 'array',
      description: 'The names that clients use. `*.example.com` stands for all names below example.com.',
      items: {
        type: 'string',
        description: 'A DNS name.',
        maxLength: 253,
        pattern: '^(\\*\\.)?([a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9\\-]{0,61}[a-z0-9])?$',
        'x-fairway': {
          code: 'FW-RULE-151',
          says: 'must be a DNS name with a dot, in lower case, such as api.example.com or *.example.com',
          keepsPattern: true,
        },
      },
      minItems: 1,
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
    },
    ports: {
      type: 'array',
      description: 'The ports of the hosts.',
      items: {
        type: 'object',
        description: 'One port.',
        required: ['number', 'protocol'],
        properties: {
          number: portNumber,
          protocol: {
            type: 'string',
            description: 'What clients speak on it. tls: sidecars route by SNI and do not look inside.',
            enum: ['http', 'http2', 'grpc', 'tcp', 'tls'],
            'x-fairway': { code: 'FW-RULE-153', says: 'must be one of http, http2, grpc, tcp and tls' },
          },
          targetPort: { ...portNumber, description: 'The port at which the hosts listen. Default: number.' },
          tls: tlsSchema,
          name: {
            type: 'string',
            description: 'For people. Default: protocol and number.',
            minLength: 1,
            maxLength: 63,
            pattern: '^[a-z0-9]([a-z0-9\\-]*[a-z0-9])?$',
            'x-fairway': { code: 'FW-RULE-154', says: 'must be lower-case letters, digits and "-"' },
          },
        },
      },
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['number'],
    },
    resolution: {
      type: 'string',
      description: 'static: the endpoints. dns: what a name server says of each host; each proxy asks by itself.',
      enum: ['static', 'dns'],
      'x-fairway': { code: 'FW-RULE-165', says: 'must be static or dns' },
    },
    endpoints: {
      type: 'array',
      description: 'With resolution: static, the addresses behind the hosts.',
      items: endpoint,
      minItems: 1,
      maxItems: 256,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['address'],
    },
    from: {
      type: 'object',
      description: 'Whose proxies reach it. Default: all.',
      required: ['clusters'],
      properties: {
        clusters: {
          type: 'array',
          description: 'The clusters whose proxies reach it; to all others the hosts are unknown.',
          items: {
            type: 'string',
            description: 'The name of a registered cluster.',
            minLength: 1,
            maxLength: 63,
            pattern: '^[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?$',
            'x-fairway': { code: 'FW-RULE-166', says: 'must be the name of a cluster', keepsPattern: true },
          },
          minItems: 1,
          maxItems: 64,
          'x-kubernetes-list-type': 'set',
        },
      },
    },
  },
  'x-kubernetes-validations': [
    {
      rule: "self.resolution != 'static' || has(self.endpoints)",
      message: 'endpoints must be given with resolution: static',
    },
    {
      rule: "self.resolution != 'dns' || !has(self.endpoints)",
      message: 'endpoints must not be given with resolution: dns',
    },
    {
      rule: "self.resolution != 'dns' || self.hosts.all(host, !host.startsWith('*'))",
      message: 'a host with a wildcard cannot be looked up by DNS',
    },
    {
      rule: "self.ports.all(p, p.protocol != 'tls' || !has(p.tls))",
      message: 'tls must not be given on a port of protocol tls, on which clients speak TLS themselves',
    },
    {
      rule: "!self.hosts.exists(h, h.startsWith('*')) || self.ports.all(p, p.protocol != 'tcp' || !has(p.tls) || has(p.tls.sni))",
      message: 'sni must be given with tls on a port of protocol tcp where a host has a wildcard',
    },
    {
      rule: '!has(self.endpoints) || self.endpoints.all(e, !has(e.ports) || e.ports.all(p, self.ports.exists(q, q.number == p.number)))',
      message: 'an endpoint must name ports of the object alone',
    },
  ],
} as const satisfies Schema;

export type RawExternalSpec = FromSchema<typeof externalSpecSchema>;
