/** The codes of findings about what a route does with a request. How they are written: see rule-codes.ts. */

import type { CodeTable } from './code-table.ts';

export const routeCodes = {
  'FW-RULE-060': {
    title: 'The rule says nothing',
    cure: 'Add routes, or say how the endpoints of the service are treated; or delete the rule.',
  },
  'FW-RULE-061': {
    title: 'Not exactly one of backends, redirect and respond',
    cure: 'Give backends, or let the proxy answer by redirect or respond.',
  },
  'FW-RULE-062': {
    title: 'A field without backends',
    cure: 'Remove the field: with redirect or respond the proxy answers by itself, and nothing is sent on.',
  },
  'FW-RULE-063': {
    title: 'Bad host name',
    cure: 'Give a DNS name in small letters, at most 253 characters, without a port.',
  },
  'FW-RULE-064': { title: 'Bad port', cure: 'Give a whole number from 1 to 65535.' },
  'FW-RULE-065': { title: 'Not a status code of a redirect', cure: 'Give 301, 302, 303, 307 or 308.' },
  'FW-RULE-066': {
    title: 'A redirect or rewrite that changes nothing',
    cure: 'Give at least one of the fields that the message names, or remove it.',
  },
  'FW-RULE-067': {
    title: 'Not exactly one way to change the path',
    cure: 'Give exactly one of full, prefix and regex.',
  },
  'FW-RULE-068': {
    title: 'A prefix is to be replaced that no match has',
    cure: 'Match by path.prefix or path.startsWith in all matches of the route, or change the path by full.',
  },
  'FW-RULE-069': { title: 'Bad percentage', cure: 'Give a number from 0 to 100 with at most four decimals.' },
  'FW-RULE-070': { title: 'A fault that does nothing', cure: 'Give delay, abort or both; or remove it.' },
  'FW-RULE-071': {
    title: 'Not exactly one of status and grpcStatus',
    cure: 'Give status for HTTP, grpcStatus for gRPC.',
  },
  'FW-RULE-072': { title: 'Bad status code', cure: 'Give a whole number from 200 to 599.' },
  'FW-RULE-073': { title: 'Bad gRPC status', cure: 'Give a whole number from 1 (CANCELLED) to 16 (UNAUTHENTICATED).' },
  'FW-RULE-074': { title: 'A duration that must not be zero', cure: 'Give a duration above 0s, or remove the field.' },
  'FW-RULE-075': { title: 'max is shorter than base', cure: 'Make max at least as long as base.' },
  'FW-RULE-076': {
    title: 'Bad origin',
    cure: 'Write scheme, host and port as browsers do, as in https://shop.example.com; or https://*.example.com; or "*".',
  },
  'FW-RULE-077': {
    title: 'Bad item in a list for CORS',
    cure: 'Write methods in capitals, headers by their names, or "*".',
  },
  'FW-RULE-078': {
    title: 'allowCredentials together with "*"',
    cure: 'List what is allowed: browsers take no "*" for requests with credentials, and any site could act for its visitors.',
  },
  'FW-RULE-079': {
    title: 'CORS preflights never take the route',
    cure: 'Add a match with method: OPTIONS, or match without a method.',
  },
  'FW-RULE-080': { title: 'Bad number of requests', cure: 'Give a whole number from 1 to 1000000.' },
  'FW-RULE-081': { title: 'Bad interval', cure: 'Give a duration from 50ms to 24h.' },
  'FW-RULE-082': { title: 'The body is too large', cure: 'Give at most 4096 bytes; let a service answer with more.' },
  'FW-RULE-084': { title: 'Bad scheme', cure: 'Write http or https.' },
  'FW-RULE-180': {
    title: 'Bad name of another service or namespace',
    cure: 'Use lower-case letters, digits and "-", at most 63 characters, without a domain.',
  },
  'FW-RULE-181': {
    title: 'Bad substitution',
    cure: 'Give at most 1024 characters without "?", "#" and control characters; write a space as %20, and all beyond ASCII likewise.',
  },
  'FW-RULE-182': { title: 'Not what a route can take', cure: 'Write requests or connections, or leave takes out.' },
  'FW-RULE-183': { title: 'Bad server name', cure: 'Write a DNS name in small letters, or *. and one.' },
  'FW-RULE-184': {
    title: 'ignoreCase with a regular expression',
    cure: 'Begin the expression with (?i), and remove ignoreCase.',
  },
  'FW-RULE-185': { title: 'A namespace without a service', cure: 'Name the service too, or remove the namespace.' },
  'FW-RULE-186': { title: 'Server names without connections', cure: 'Add takes: connections to the route.' },
  'FW-RULE-187': {
    title: 'Something for requests in a route that takes connections',
    cure: 'Remove the field: of a connection no requests are seen; or let the route take requests.',
  },
} as const satisfies CodeTable;
