/** A pilot without a process (test/support/pilot.ts) behind a real admin server: what the commands that look closer talk to. */

import { systemClock } from '../../src/core/clock.ts';
import { createInspection } from '../../src/pilot/inspect/inspection.ts';
import { PilotRig } from '../support/pilot.ts';
import { type AdminRig, emptyMesh, startRig } from './api-rig.ts';
import { fairway, type Run } from './cli-run.ts';

export interface InspectRig {
  readonly pilot: PilotRig;
  /** The admin API's. */
  readonly url: string;
  /** The command, as a process; `columns`: how wide its page is. */
  run(args: readonly string[], columns?: number): Promise<Run>;
  stop(): Promise<void>;
}

/** `pilot`: one that is there already; it is stopped with the rest. */
export async function startInspectRig(pilot?: PilotRig): Promise<InspectRig> {
  const rig = pilot ?? (await PilotRig.start());
  const admin = await startAdmin(rig);
  return {
    pilot: rig,
    url: admin.url,
    run: (args, columns) =>
      fairway(args, {
        env: { FAIRWAY_ADMIN: admin.url, ...(columns === undefined ? {} : { COLUMNS: String(columns) }) },
      }),
    async stop() {
      await admin.stop();
      if (pilot === undefined) await rig.stop();
    },
  };
}

function startAdmin(pilot: PilotRig): Promise<AdminRig> {
  const { inventory, engine, rules, ruleStatus, xds } = pilot;
  const inspection = createInspection({
    inventory,
    engine,
    rules,
    ruleStatus,
    stages: [],
    streamStatus: (streamId) => xds.status(streamId) ?? new Map(),
    clock: systemClock,
  });
  return startRig({
    mesh: {
      ...emptyMesh(),
      inspection,
      // Read when somebody asks, as the pilot's own reports are.
      get rules() {
        return ruleStatus.reports();
      },
    },
  });
}
