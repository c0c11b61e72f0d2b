/**
 * The TrafficRules that a member cluster holds of its own: read from its API, and, where somebody asks for it, their statuses written there.
 *
 * Without a grant they are read to be shown, where the pilot may: it asks from time to time whether it does, and says nothing of what it may not.
 */

import { type Clock, sleep } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { MemberSource } from '../member-host.ts';
import type { RuleSink } from '../rule-sink.ts';
import type { Access } from './access.ts';
import { ApiClient } from './api-client.ts';
import { defaultWatchSettings, type WatchSettings } from './lister-watcher.ts';
import { mayRead } from './may-read.ts';
import { trafficRuleKind } from './rule-kind.ts';
import { KubeRuleSource } from './rule-source.ts';
import { RuleStatusWriter } from './rule-status.ts';

export interface MemberSourceOptions {
  readonly access: Access;
  readonly cluster: string;
  readonly sink: RuleSink;
  readonly isLeader: () => boolean;
  /** Some policy names the cluster. */
  readonly isGranted: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function memberSource({ isLeader, isGranted, ...options }: MemberSourceOptions): MemberSource {
  if (!isGranted) return shownSource(options);
  const { access, clock, logger } = options;
  const source = new KubeRuleSource({ ...options, statusChanged: (id) => writer?.noticed(id) });
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

/** How often it is asked whether what nobody granted may be read, ms. */
const askMs = 600_000;
/** As soon as this if an API does not say, ms. */
const askAgainMs = 30_000;

const seldom: WatchSettings = {
  ...defaultWatchSettings,
  refusedRetryMs: askMs,
  backoff: { ...defaultWatchSettings.backoff, maxMs: askMs },
};

function shownSource(options: Omit<MemberSourceOptions, 'isLeader' | 'isGranted'>): MemberSource {
  const { access, clock } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  let source: KubeRuleSource | undefined;
  const ask = async (): Promise<void> => {
    const api = new ApiClient(access, clock);
    try {
      while (!signal.aborted) {
        const may = await mayRead(api, trafficRuleKind, signal).catch(() => undefined);
        if (signal.aborted) return;
        if (may === true) {
          source = new KubeRuleSource({ ...options, watch: seldom });
          return;
        }
        await sleep(clock, (may === false ? askMs : askAgainMs) * (0.75 + Math.random() / 2), signal);
      }
    } finally {
      api.close();
    }
  };
  const asked = ask();
  return {
    async stop() {
      stopped.abort();
      await asked;
      await source?.stop();
    },
  };
}
