/** What closer looks at a running pilot read. */

import type { Clock } from '../../core/clock.ts';
import type { Inventory } from '../../registry/inventory.ts';
import type { RuleSet } from '../../rules/traffic-rule/rule-set.ts';
import type { StreamTypeStatus } from '../../xds/view.ts';
import type { Engine } from '../engine.ts';
import type { Members } from '../members/members.ts';
import type { ObjectStage } from '../status/object-stage.ts';
import type { RuleStatus } from '../status/rule-status.ts';

export interface InspectInputs {
  readonly inventory: Inventory;
  readonly engine: Engine;
  readonly rules: RuleSet;
  readonly ruleStatus: RuleStatus;
  /** The other kinds of objects. */
  readonly stages: readonly ObjectStage[];
  readonly streamStatus: (streamId: number) => ReadonlyMap<string, StreamTypeStatus>;
  readonly clock: Clock;
  /** Rules that member clusters hold of their own; left out: none. */
  readonly members?: Pick<Members, 'status' | 'findings' | 'records'>;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
