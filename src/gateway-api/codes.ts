/** The codes of findings about objects of the Gateway API. How they are written: see src/rules/codes/rule-codes.ts. */

import type { CodeTable } from '../rules/codes/code-table.ts';

export const gatewayCodes = {
  'FW-GWAPI-001': {
    title: 'Bad reference',
    cure: 'Give the group, kind, namespace and name of an object as Kubernetes writes them.',
  },
  'FW-GWAPI-002': {
    title: 'Two references to one parent',
    cure: 'Keep one of them, or give both a port or a sectionName of their own.',
  },
  'FW-GWAPI-003': {
    title: 'Bad path',
    cure: 'Write a path as it stands in a request: it begins with "/" and has no "#", "//", "/./", "/../" or "%2F".',
  },
  'FW-GWAPI-004': {
    title: 'A filter that does not say what its type says, or stands there twice, or beside one that excludes it',
    cure: 'Give the filter the one field of its type, once; RequestRedirect and URLRewrite exclude each other.',
  },
  'FW-GWAPI-005': { title: 'A value that the field cannot have', cure: 'Give one that the message names.' },
  'FW-GWAPI-006': {
    title: 'A redirect beside backends',
    cure: 'Remove the backendRefs: the proxy answers by itself, and nothing is sent on.',
  },
  'FW-GWAPI-007': {
    title: 'replacePrefixMatch without one PathPrefix match',
    cure: 'Give the rule exactly one match, with a path of type PathPrefix.',
  },
  'FW-GWAPI-008': {
    title: 'Bad timeout',
    cure: 'Write whole numbers with units, as in 500ms or 1h30m; backendRequest is at most as long as request.',
  },
  'FW-GWAPI-009': {
    title: 'Too many matches',
    cure: 'Split the route: all of its rules together have at most 128 matches.',
  },
  'FW-GWAPI-010': { title: 'A name stands there twice', cure: 'Keep one of the two.' },
  'FW-GWAPI-011': {
    title: 'Bad method of a gRPC service',
    cure: 'Give service, method or both, in letters, digits, "_" and, for service, "."',
  },
  'FW-GWAPI-012': {
    title: 'Bad host name',
    cure: 'Give a DNS name in small letters; TLS server names are no IP addresses.',
  },
  'FW-GWAPI-013': { title: 'A Service without a port', cure: 'Say which port of the Service is meant.' },
  'FW-GWAPI-014': {
    title: 'Bad share of copies',
    cure: 'Give percent or fraction, not both; the numerator is at most the denominator.',
  },
  'FW-GWAPI-015': { title: '"*" beside other values', cure: 'Give "*" alone, or name each.' },
  'FW-GWAPI-020': {
    title: 'hostnames mean nothing in the mesh',
    cure: 'Remove hostnames, or match the header Host.',
  },
  'FW-GWAPI-021': { title: 'The route is for nothing', cure: 'Name a Service in parentRefs.' },
  'FW-GWAPI-022': {
    title: 'A rule asks for what is not supported',
    cure: 'Remove it; until then requests that the rule would take are answered 500.',
  },
  'FW-GWAPI-023': {
    title: 'The route is not in force for a parent',
    cure: 'Do what the message says; docs/gateway-api.md tells what a route can be for.',
  },
  'FW-GWAPI-024': {
    title: 'Something else routes the service',
    cure: 'Keep one of the two; docs/gateway-api.md tells which goes first.',
  },
  'FW-GWAPI-025': {
    title: 'A backend cannot be used',
    cure: 'Do what the message says; until then its share of the requests is answered 500.',
  },
  'FW-GWAPI-026': { title: 'Only the first of two equal names counts', cure: 'Remove the other one.' },
  'FW-GWAPI-027': {
    title: 'Pauses between tries may be shorter',
    cure: 'Know that proxies wait a random part of the pause; leave backoff out otherwise.',
  },
  'FW-GWAPI-028': {
    title: 'CORS has no effect on preflights',
    cure: 'Add a match that takes the method OPTIONS.',
  },
  'FW-GWAPI-029': { title: 'Only the first rule counts', cure: 'Make a route of each rule.' },
} as const satisfies CodeTable;

export type GatewayCode = keyof typeof gatewayCodes;
