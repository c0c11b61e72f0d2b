/**
 * All kinds of objects that are read from rules folders, from the primary cluster and from files on the command line: Fairway's own, and those that
 * others define. All that carries objects without knowing them goes by this table.
 */

import { gatewayApiKinds } from '../gateway-api/kinds.ts';
import { istioKinds } from '../istio/kinds.ts';
import { ownKinds } from '../rules/kinds.ts';
import { kindTable } from '../rules/objects/kind-table.ts';
import type { AnyKind, ForeignKind } from '../rules/objects/kind-types.ts';

export const foreignKinds: readonly ForeignKind[] = [...gatewayApiKinds, ...istioKinds];

/** Ours come first: of two kinds with one short word ours has it. */
export const allKinds = kindTable<AnyKind>([...ownKinds.rows, ...foreignKinds]);
