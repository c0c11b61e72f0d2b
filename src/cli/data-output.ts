/** `-o json` and `-o yaml`: what the API says, as it is. */

import { stringify } from 'yaml';
import type { Terminal } from './terminal.ts';

export type DataFormat = 'json' | 'yaml';

export function printData(data: unknown, format: DataFormat, terminal: Terminal): void {
  terminal.out(
    format === 'json'
      ? `${JSON.stringify(data, null, 2)}\n`
      : stringify(data, { aliasDuplicateObjects: false, lineWidth: 0 }),
  );
}
