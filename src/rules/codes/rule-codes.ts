/**
 * Every finding that this room can make: its code, what it means and how to cure it. docs/errors.md is generated from this table.
 * A code is never reused for another meaning.
 */

import { clusterPolicyCodes } from './cluster-policy.ts';
import type { CodeTable } from './code-table.ts';
import { drainCodes } from './drain.ts';
import { externalCodes } from './external.ts';
import { placeCodes } from './place.ts';
import { policyCodes } from './policy.ts';
import { routeCodes } from './route.ts';

/** `satisfies`, so that a code which is used and not listed does not compile. */
export const ruleCodes = {
  'FW-RULE-001': { title: 'Not an object', cure: 'Write a mapping with apiVersion, kind, metadata and spec.' },
  'FW-RULE-002': {
    title: 'Unknown kind',
    cure: 'Use a kind that Fairway reads: its own, or one of the standards that docs/standards.md names.',
  },
  'FW-RULE-003': { title: 'Unknown apiVersion', cure: 'Write the apiVersion that the message names.' },
  'FW-RULE-004': {
    title: 'Bad metadata.name',
    cure: 'Give a lower-case name of letters, digits, "-" and ".", at most 253 characters.',
  },
  'FW-RULE-005': {
    title: 'Bad metadata.namespace',
    cure: 'Give a lower-case name of letters, digits and "-", at most 63 characters.',
  },
  'FW-RULE-006': {
    title: 'Unknown field',
    cure: 'Correct the spelling or remove the field; docs/traffic-rules.md lists all of them.',
  },
  'FW-RULE-007': {
    title: 'Wrong type of value',
    cure: 'Write the value in the type that the field takes; quote text that looks like a number.',
  },
  'FW-RULE-008': { title: 'A required field is missing', cure: 'Add the field.' },
  'FW-RULE-009': {
    title: 'Too many or too few items',
    cure: 'Keep the list within the bounds that the message names.',
  },
  'FW-RULE-010': { title: 'The object is too large', cure: 'Split it, or remove what is not needed.' },
  'FW-RULE-011': { title: 'An item stands in a list twice', cure: 'Remove one of them.' },
  'FW-RULE-012': {
    title: 'Bad service name',
    cure: "Name a service of the rule's own namespace, without namespace or domain.",
  },
  'FW-RULE-013': { title: 'Bad route name', cure: 'Use lower-case letters, digits and "-", at most 63 characters.' },
  'FW-RULE-014': { title: 'Two routes with one name', cure: 'Give each route a name of its own.' },
  'FW-RULE-015': {
    title: 'Not exactly one way to match',
    cure: 'Give exactly one of the fields that the message names.',
  },
  'FW-RULE-016': {
    title: 'Bad path',
    cure: 'Write a path as it stands in a request: it begins with "/", has no "?", "#", "//", "/./" or "/../", and has spaces and all beyond ASCII as %20 and the like.',
  },
  'FW-RULE-017': {
    title: 'RE2 refuses the regular expression',
    cure: 'Write it in RE2 syntax: no look-around, no back-references.',
  },
  'FW-RULE-018': {
    title: 'The regular expression is too large',
    cure: 'Shorten it, lower its repeat counts, or use prefix.',
  },
  'FW-RULE-019': { title: 'Bad method', cure: 'Write the method in capitals, for instance GET.' },
  'FW-RULE-020': {
    title: 'Bad header name',
    cure: 'Use letters, digits and "-"; path and method have match fields of their own.',
  },
  'FW-RULE-021': { title: 'Bad value to match', cure: 'Give 1 to 1024 characters, none of them a control character.' },
  'FW-RULE-022': { title: 'Bad query parameter name', cure: 'Give 1 to 256 characters, as they stand after decoding.' },
  'FW-RULE-023': {
    title: 'Too many matches in one rule',
    cure: 'Use fewer matches: prefix or regex can stand for many.',
  },
  'FW-RULE-024': { title: 'Weight out of range', cure: 'Give a whole number from 0 to 1000000.' },
  'FW-RULE-025': { title: 'All weights are zero', cure: 'Give at least one backend of the route a weight above 0.' },
  'FW-RULE-026': {
    title: 'Bad version',
    cure: 'Give a value that the version label can have, at most 63 characters; leave it out for any version.',
  },
  'FW-RULE-027': { title: 'Bad cluster name', cure: 'Name a registered cluster; leave it out for any cluster.' },
  'FW-RULE-028': { title: 'A backend stands in a route twice', cure: 'Merge the two and add up their weights.' },
  'FW-RULE-029': {
    title: 'A fallback that can never be used',
    cure: 'Remove it: an earlier entry of the chain has all of its endpoints.',
  },
  'FW-RULE-030': { title: 'Bad duration', cure: 'Write whole numbers with units, as in 500ms, 3s or 1h30m.' },
  'FW-RULE-031': {
    title: 'backendRequest is longer than request',
    cure: 'Make backendRequest at most as long as request.',
  },
  'FW-RULE-032': { title: 'Bad number of attempts', cure: 'Give a whole number from 0 to 10.' },
  'FW-RULE-033': {
    title: 'Unknown retry condition',
    cure: 'Use one of the listed conditions, or a status code from "400" to "599" in quotes.',
  },
  'FW-RULE-034': {
    title: 'A header that must not be changed',
    cure: 'Remove the change: this header belongs to the connection or to the proxy.',
  },
  'FW-RULE-035': { title: 'Bad header value', cure: 'Give at most 4096 characters, none of them a control character.' },
  'FW-RULE-036': { title: 'A header is changed twice', cure: 'Keep one of the changes.' },
  'FW-RULE-037': {
    title: 'A route that can never match',
    cure: 'Move it before the route that covers it, or remove it.',
  },
  'FW-RULE-038': {
    title: 'Requests may match no route',
    cure: 'Add a last route without matches, unless 404 is meant for all other requests.',
  },
  'FW-RULE-039': {
    title: 'Retry conditions are given twice',
    cure: 'Keep `on`; `true` is what kubectl makes of an `on` that is not in quotes.',
  },
  'FW-RULE-040': { title: 'Another rule for the service is in force', cure: 'Merge the two rules, or delete one.' },
  'FW-RULE-041': { title: 'The object comes from two sources', cure: 'Keep it in one place.' },
  'FW-RULE-042': {
    title: 'Too many rule objects',
    cure: 'Delete rules that nobody needs; `max` says how many there may be.',
  },
  'FW-RULE-043': { title: 'More findings than are shown', cure: 'Cure the first ones and apply again.' },
  'FW-RULE-050': {
    title: 'The service does not exist in any cluster',
    cure: 'Create the service, or correct the name; the rule takes effect when it appears.',
  },
  'FW-RULE-051': {
    title: 'No such cluster is registered',
    cure: 'Register the cluster, or correct the name; the rule takes effect when it appears.',
  },
  'FW-RULE-052': {
    title: 'A backend is not there: its service, its port, or the service in its cluster',
    cure: 'Create what is missing, or correct the name; until then the share of a service or port that is not there is answered with 500 (gRPC: UNKNOWN).',
  },
  'FW-RULE-053': {
    title: 'No endpoint has this version',
    cure: 'Deploy the version, or correct it; the rule takes effect when it appears.',
  },
  'FW-RULE-054': {
    title: 'No ReferenceGrant lets the rule refer to a service of another namespace',
    cure: 'Apply a ReferenceGrant in the namespace of the service, from TrafficRules of the namespace of the rule.',
  },
  ...routeCodes,
  ...externalCodes,
  ...drainCodes,
  ...clusterPolicyCodes,
  ...placeCodes,
  ...policyCodes,
} as const satisfies CodeTable;

export type RuleCode = keyof typeof ruleCodes;
