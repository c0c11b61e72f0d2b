/** How the tables of codes are written (the other files of this folder). */

import type { ErrorCode } from '../../core/errors.ts';

export interface CodeEntry {
  readonly title: string;
  readonly cure: string;
}

export type CodeTable = Readonly<Record<ErrorCode, CodeEntry>>;
