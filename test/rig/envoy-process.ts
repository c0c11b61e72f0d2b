/**
 * An Envoy as a process of a test. In: its bootstrap and a folder; out: the process, whose files in that folder bear its name (`NAME.json`, `NAME.log`).
 *
 * What always holds: several run side by side on one machine; each has one worker, so that what one connection knows the next one does, too.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RigProcess, startProcess } from './process.ts';

export interface EnvoyProcess {
  /** The program. */
  readonly command: string;
  readonly bootstrap: object;
  readonly dir: string;
  /** Of its files; default `envoy`. */
  readonly name?: string;
  /** For messages; default `envoy`, with the name. */
  readonly title?: string;
  /** Default `error`. */
  readonly logLevel?: string;
}

export function startEnvoyProcess(envoy: EnvoyProcess): Promise<RigProcess> {
  const { command, bootstrap, dir, name = 'envoy', logLevel = 'error' } = envoy;
  const file = join(dir, `${name}.json`);
  writeFileSync(file, JSON.stringify(bootstrap, null, 2));
  return startProcess({
    name: envoy.title ?? (name === 'envoy' ? 'envoy' : `envoy ${name}`),
    command,
    args: [
      ...['-c', file, '--concurrency', '1', '--use-dynamic-base-id', '--disable-hot-restart'],
      // Or an access log's line comes after 10 s.
      ...['--file-flush-interval-msec', '20', '--log-level', logLevel],
    ],
    logFile: join(dir, `${name}.log`),
  });
}
