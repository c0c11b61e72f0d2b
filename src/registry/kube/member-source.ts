/** The TrafficRules that a member cluster holds of its own: read from its API, and, where somebody asks for it, their statuses written there. */

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { MemberSource } from '../member-host.ts';
import type { RuleSink } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { KubeRuleSource } from './rule-source.ts';
import { RuleStatusWriter } from './rule-status.ts';

export interface MemberSourceOptions {
  readonly access: Access;
  readonly cluster: string;
  readonly sink: RuleSink;
  readonly isLeader: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function memberSource({ isLeader, ...options }: MemberSourceOptions): MemberSource {
  const { access, clock, logger } = options;
  const source = new KubeRuleSource(options);
  // None before the first status: a pilot that is not asked to write needs no right to, and has nothing that waits to.
  let writer: RuleStatusWriter | undefined;
  return {
    writeStatus(target, status) {
      writer ??= new RuleStatusWriter({
        access,
        clock,
        logger,
        view: (id) => source.view(id),
        isRead: () => source.isSynced,
        isLeader,
      });
      writer.put(target, status);
    },
    async stop() {
      await Promise.all([source.stop(), writer?.stop()]);
    },
  };
}
