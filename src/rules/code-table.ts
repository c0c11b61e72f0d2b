/** How the tables of codes are written (codes.ts, codes-….ts). */

import type { ErrorCode } from '../core/errors.ts';

export interface CodeEntry {
  readonly title: string;
  readonly cure: string;
}

export type CodeTable = Readonly<Record<ErrorCode, CodeEntry>>;
