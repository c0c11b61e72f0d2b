/** The part of the schema that says which requests a route takes. How schemas are written here: see spec.ts. */

import type { CelRule, Schema } from '../../objects/schema-types.ts';
import { source } from './source.ts';

export const maxRegexLength = 1024;

export const headerNamePattern = "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$";

export const regex = {
  type: 'string',
  description: 'A regular expression in RE2 syntax. It must match the whole value.',
  minLength: 1,
  maxLength: maxRegexLength,
  'x-fairway': { code: 'FW-RULE-018', says: 'must be a regular expression of 1 to 1024 characters' },
  'x-kubernetes-validations': [
    {
      // `matches` compiles with Go's RE2 and fails on a bad expression; what it answers for a good one makes no difference.
      rule: "''.matches(self) in [true, false]",
      message: 'must be a regular expression in RE2 syntax (no look-around, no back-references)',
    },
  ],
} as const satisfies Schema;

export const plainPath = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  // What can stand in a path; request-path.ts.
  pattern: '^/[!-"$->@-~]*$',
  'x-fairway': {
    code: 'FW-RULE-016',
    says: 'must begin with "/" and hold neither "?" nor "#", and spaces and all beyond ASCII as %20 and the like',
  },
  'x-kubernetes-validations': [
    {
      rule: "!self.contains('//') && !(self + '/').contains('/./') && !(self + '/').contains('/../')",
      message: 'must not hold "//", "/./" or "/../": requests are normalised before they are matched',
    },
  ],
} as const;

const pathMatch = {
  type: 'object',
  description: 'Matches the path, without the query. Give exactly one of exact, prefix, startsWith and regex.',
  properties: {
    exact: { ...plainPath, description: 'The whole path.' },
    prefix: {
      ...plainPath,
      description:
        'The leading elements of the path: /api matches /api and /api/x, and not /apix. A closing slash makes no difference.',
    },
    startsWith: {
      ...plainPath,
      description: 'What the path begins with, character by character: /api matches /api, /api/x and /apix.',
    },
    regex,
    ignoreCase: {
      type: 'boolean',
      description: 'Whether upper and lower case are the same; not for regex, which says (?i). Left out: false.',
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '[has(self.exact), has(self.prefix), has(self.startsWith), has(self.regex)].filter(given, given).size() == 1',
      message: 'must have exactly one of exact, prefix, startsWith and regex',
    },
    {
      rule: '!has(self.ignoreCase) || !has(self.regex)',
      message: 'ignoreCase is not for regex: begin the expression with (?i)',
    },
  ],
} as const satisfies Schema;

const matchedValue = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$',
  'x-fairway': {
    code: 'FW-RULE-021',
    says: 'must have 1 to 1024 characters, none of them a control character',
    keepsPattern: true,
  },
} as const;

const valueMatch = {
  value: { ...matchedValue, description: 'The whole value; upper and lower case differ.' },
  prefix: { ...matchedValue, description: 'What the value begins with; upper and lower case differ.' },
  regex,
} as const;

/** Headers can be asked for by their presence too; query parameters only by what they hold. */
export const headerMatchWays = ['value', 'prefix', 'regex', 'present'] as const;
export const queryMatchWays = ['value', 'prefix', 'regex'] as const;

function oneOf(ways: readonly string[]): readonly CelRule[] {
  return [
    {
      rule: `[${ways.map((way) => `has(self.${way})`).join(', ')}].filter(given, given).size() == 1`,
      message: `must have exactly one of ${ways.slice(0, -1).join(', ')} and ${ways.at(-1)}`,
    },
  ];
}

const headerMatch = {
  type: 'object',
  description: 'Matches a request header. Give its name and exactly one of value, prefix, regex and present.',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      description: "The header's name; upper and lower case are the same.",
      minLength: 1,
      maxLength: 128,
      pattern: headerNamePattern,
      'x-fairway': { code: 'FW-RULE-020', says: 'must be a header name of 1 to 128 characters, such as x-group' },
    },
    ...valueMatch,
    present: {
      type: 'boolean',
      description: 'true: the request has the header, whatever its value; false: it does not.',
    },
    not: {
      type: 'boolean',
      description: 'true: requests whose header has another value, or that have no such header. Left out: false.',
    },
  },
  'x-kubernetes-validations': oneOf(headerMatchWays),
} as const satisfies Schema;

const queryParamMatch = {
  type: 'object',
  description: 'Matches a query parameter. Give its name and exactly one of value, prefix and regex.',
  required: ['name'],
  properties: {
    name: {
      type: 'string',
      description:
        "The parameter's name; upper and lower case differ. Of several parameters with one name, the first counts.",
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\x00-\\x1f\\x7f]+$',
      'x-fairway': { code: 'FW-RULE-022', says: 'must be a parameter name of 1 to 128 characters' },
    },
    ...valueMatch,
  },
  'x-kubernetes-validations': oneOf(queryMatchWays),
} as const satisfies Schema;

export const match = {
  type: 'object',
  description: 'What a request must be like: all that is given must hold. An empty match takes every request.',
  properties: {
    source,
    path: pathMatch,
    method: {
      type: 'string',
      description: 'The HTTP method, in capitals.',
      minLength: 1,
      maxLength: 32,
      pattern: '^[A-Z][A-Z0-9_-]*$',
      'x-fairway': { code: 'FW-RULE-019', says: 'must be an HTTP method in capitals, such as GET' },
    },
    headers: {
      type: 'array',
      description: 'Request headers, all of which must match.',
      items: headerMatch,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
    queryParams: {
      type: 'array',
      description: 'Query parameters, all of which must match.',
      items: queryParamMatch,
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    },
  },
} as const satisfies Schema;
