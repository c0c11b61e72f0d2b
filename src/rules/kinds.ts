/**
 * Fairway's own kinds of objects that people apply: one row each. ARCHITECTURE.md says how a kind is added; what is read besides them is in
 * `src/kinds/all-kinds.ts`.
 */

import { clusterPolicyKind } from './cluster-policy/kind.ts';
import { drainKind } from './drain/kind.ts';
import { externalServiceKind } from './external/kind.ts';
import { kindTable } from './objects/kind-table.ts';
import { trafficRuleKind } from './traffic-rule/kind.ts';

export const ownKinds = kindTable([trafficRuleKind, externalServiceKind, clusterPolicyKind, drainKind]);
