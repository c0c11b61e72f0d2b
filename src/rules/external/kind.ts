/** ExternalService as a row of the table of kinds. */

import type { ObjectKind } from '../objects/kind-types.ts';
import { field, texts } from '../objects/raw-fields.ts';
import { progressColumns, stateColumns, statusSchema } from '../status/status-schema.ts';
import { externalHead } from './head.ts';
import { parseExternalService } from './parse.ts';
import { externalSpecSchema } from './schema.ts';

export const externalServiceKind: ObjectKind = {
  ...externalHead,
  description:
    'An ExternalService names hosts outside the mesh, so that the proxies of all or of named clusters reach them as services.',
  schemaFile: 'src/rules/external/schema.ts',
  spec: externalSpecSchema,
  status: statusSchema(
    'service',
    'Accepted: valid, and the hosts are its own. ResolvedRefs: the clusters that it names are registered. Programmed: all connected proxies that reach it acknowledged it.',
  ),
  columns: [
    { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts' },
    { name: 'Resolution', type: 'string', jsonPath: '.spec.resolution' },
    ...stateColumns,
    ...progressColumns,
  ],
  shown: [
    { title: 'HOSTS', of: (spec) => texts(field(spec, 'hosts')).join(',') },
    { title: 'RESOLUTION', of: (spec) => String(field(spec, 'resolution') ?? '') },
    { title: 'FROM', of: (spec) => texts(field(field(spec, 'from'), 'clusters')).join(',') || 'all' },
  ],
  parse: parseExternalService,
};
