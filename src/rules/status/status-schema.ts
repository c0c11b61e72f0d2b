/** The `status` of every kind, and the printer columns that show it. */

import type { PrinterColumn } from '../objects/kind-types.ts';
import type { Schema } from '../objects/schema-types.ts';

export function count(description: string): Schema {
  return { type: 'integer', format: 'int32', minimum: 0, description };
}

/** `word`: what people call the object. `conditions`: what its conditions mean. `more`: further fields of its status. */
export function statusSchema(word: string, conditions: string, more: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: 'object',
    description: `What Fairway says of the ${word}.`,
    properties: {
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation that was looked at last.',
      },
      conditions: {
        type: 'array',
        description: conditions,
        items: conditionSchema(word),
        maxItems: 8,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      },
      ...more,
      proxies: {
        type: 'object',
        description: 'The connected proxies.',
        properties: {
          acknowledged: count(`How many of them hold the ${word}.`),
          total: count('How many there are.'),
        },
      },
    },
  };
}

function conditionSchema(word: string): Schema {
  return {
    type: 'object',
    description: `One aspect of the state of the ${word}.`,
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', description: 'Accepted, ResolvedRefs or Programmed.', maxLength: 316 },
      status: { type: 'string', description: 'True, False or Unknown.', enum: ['True', 'False', 'Unknown'] },
      reason: { type: 'string', description: 'Why, in one word for machines.', minLength: 1, maxLength: 1024 },
      message: { type: 'string', description: 'Why, for people.', maxLength: 32768 },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation that this was said of.',
      },
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'When status became what it is.' },
    },
  };
}

export function conditionStatus(type: string): string {
  return `.status.conditions[?(@.type=="${type}")].status`;
}

/** Between the kind's own columns and those for -o wide. */
export const stateColumns: readonly PrinterColumn[] = [
  { name: 'Accepted', type: 'string', jsonPath: conditionStatus('Accepted') },
  { name: 'Programmed', type: 'string', jsonPath: conditionStatus('Programmed') },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'ResolvedRefs', type: 'string', jsonPath: conditionStatus('ResolvedRefs'), priority: 1 },
];

export const progressColumns: readonly PrinterColumn[] = [
  { name: 'Acknowledged', type: 'integer', jsonPath: '.status.proxies.acknowledged', priority: 1 },
  { name: 'Proxies', type: 'integer', jsonPath: '.status.proxies.total', priority: 1 },
  { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.status=="False")].message', priority: 1 },
];
