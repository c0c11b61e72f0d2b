/** Drain as a row of the table of kinds. */

import type { ObjectKind } from '../objects/kind-types.ts';
import { field } from '../objects/raw-fields.ts';
import { conditionStatus, progressColumns, stateColumns, statusSchema } from '../status/status-schema.ts';
import { drainHead } from './head.ts';
import { parseDrain } from './parse.ts';
import { drainSpecSchema } from './schema.ts';

export const drainKind: ObjectKind = {
  ...drainHead,
  description: 'A Drain moves the load of all or of named services out of a cluster or a zone, in ten steps.',
  schemaFile: 'src/rules/drain/schema.ts',
  spec: drainSpecSchema,
  status: statusSchema(
    'drain',
    'Accepted: valid, and every service that it is for has ready endpoints elsewhere. ResolvedRefs: cluster, zone and services exist. Drained: the last step was taken, and every service moved. Programmed: all connected proxies acknowledged the present step.',
  ),
  columns: [
    { name: 'Cluster', type: 'string', jsonPath: '.spec.cluster' },
    { name: 'Zone', type: 'string', jsonPath: '.spec.zone' },
    { name: 'Over', type: 'string', jsonPath: '.spec.over' },
    { name: 'Drained', type: 'string', jsonPath: conditionStatus('Drained') },
    { name: 'Progress', type: 'string', jsonPath: '.status.conditions[?(@.type=="Drained")].message' },
    ...stateColumns,
    ...progressColumns,
  ],
  shown: [
    { title: 'CLUSTER', of: (spec) => text(spec, 'cluster') },
    { title: 'ZONE', of: (spec) => text(spec, 'zone') },
    { title: 'SERVICES', of: (spec) => services(spec) },
    { title: 'OVER', of: (spec) => text(spec, 'over') || '0s' },
    { title: 'DRAINED', of: (_spec, conditions) => progress(conditions) },
  ],
  parse: parseDrain,
};

/** The message begins with the share: `30%, step 3 of 10: …`. */
function progress(conditions: Parameters<ObjectKind['shown'][number]['of']>[1]): string {
  const message = conditions.find(({ type }) => type === 'Drained')?.message ?? '';
  return message.split(/[,:]/)[0] ?? '';
}

function text(spec: unknown, name: string): string {
  const value = field(spec, name);
  return typeof value === 'string' ? value : '';
}

function services(spec: unknown): string {
  const value = field(spec, 'services');
  if (!Array.isArray(value)) return 'all';
  return value.length === 1 && typeof value[0] === 'string' ? value[0] : String(value.length);
}
