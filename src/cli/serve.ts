/** `fairway serve`: runs a pilot until SIGTERM or SIGINT. One JSON line on stdout says that it is ready; the log goes to stderr. */

import { createLog } from '../pilot/log.ts';
import { startPilot } from '../pilot/start.ts';
import { ownVersion } from './commands/version.ts';
import type { ServeOptions } from './serve-options.ts';

/** Resolves to the exit code. */
export async function runServe(options: ServeOptions): Promise<number> {
  const format = options.logFormat === 'auto' ? (process.stderr.isTTY === true ? 'text' : 'json') : options.logFormat;
  const log = createLog(options.logLevel, format);
  const ended = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const pilot = await startPilot(options, log, ownVersion());
  log.logger.info('listening', { xds: pilot.xds, admin: pilot.admin });
  void pilot.whenReady.then(() => {
    process.stdout.write(
      `${JSON.stringify({ ready: true, xds: pilot.xds, admin: pilot.admin, clusters: pilot.clusterPhases() })}\n`,
    );
  });
  const signal = await ended;
  log.logger.info('stopping', { signal });
  await pilot.stop();
  return 0;
}
