/**
 * The shapes that routes share: what they refer to, and how. As in the CRDs of the Gateway API, so that files are taken or refused as the API
 * server takes or refuses them; https://github.com/kubernetes-sigs/gateway-api/tree/main/config/crd
 */

import type { Schema } from '../rules/objects/schema-types.ts';

const labelForm = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
export const hostForm = `${labelForm}(\\.${labelForm})*`;

export const group = {
  type: 'string',
  description: 'The API group; "" is that of Services.',
  maxLength: 253,
  pattern: `^$|^${hostForm}$`,
  'x-fairway': { code: 'FW-GWAPI-001', says: 'must be an API group, in small letters' },
} as const satisfies Schema;

export const kind = {
  type: 'string',
  description: 'The kind of object, for instance Service.',
  minLength: 1,
  maxLength: 63,
  pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
  'x-fairway': { code: 'FW-GWAPI-001', says: 'must be the name of a kind, such as Service' },
} as const satisfies Schema;

export const namespace = {
  type: 'string',
  description: 'Left out: the namespace of the route.',
  minLength: 1,
  maxLength: 63,
  pattern: `^${labelForm}$`,
  'x-fairway': { code: 'FW-GWAPI-001', says: 'must be the name of a namespace' },
} as const satisfies Schema;

export const objectName = {
  type: 'string',
  description: 'The name of the object.',
  minLength: 1,
  maxLength: 253,
  'x-fairway': { code: 'FW-GWAPI-001', says: 'must have 1 to 253 characters' },
} as const satisfies Schema;

export const sectionName = {
  type: 'string',
  description: 'A name, in small letters.',
  minLength: 1,
  maxLength: 253,
  pattern: `^${hostForm}$`,
  'x-fairway': { code: 'FW-GWAPI-001', says: 'must be a name in small letters, digits, "-" and "."' },
} as const satisfies Schema;

export const port = {
  type: 'integer',
  description: 'The port of the Service.',
  minimum: 1,
  maximum: 65_535,
  'x-fairway': { code: 'FW-GWAPI-005', says: 'must be from 1 to 65535' },
} as const satisfies Schema;

export const parentRefs = {
  type: 'array',
  description: 'The Services that the route is for.',
  maxItems: 32,
  items: {
    type: 'object',
    description: 'One of them.',
    properties: { group, kind, namespace, name: objectName, sectionName, port },
    required: ['name'],
  },
} as const satisfies Schema;

export const objectReference = { group, kind, namespace, name: objectName, port } as const;

export const weight = {
  type: 'integer',
  description: 'Its share of the sum of all.',
  minimum: 0,
  maximum: 1_000_000,
  'x-fairway': { code: 'FW-GWAPI-005', says: 'must be from 0 to 1000000' },
} as const satisfies Schema;

export const hostnames = {
  type: 'array',
  description: 'Host names.',
  maxItems: 16,
  items: {
    type: 'string',
    description: 'A host name, or one that begins with "*.".',
    minLength: 1,
    maxLength: 253,
    pattern: `^(\\*\\.)?${hostForm}$`,
    'x-fairway': { code: 'FW-GWAPI-012', says: 'must be a host name in small letters, which may begin with "*."' },
  },
} as const satisfies Schema;

/** What the experimental channel has, and Fairway does not do. It may hold anything: whoever uses it is told in the route's status. */
export function notSupported(description: string): { readonly type: 'object'; readonly description: string } {
  return { type: 'object', description };
}
