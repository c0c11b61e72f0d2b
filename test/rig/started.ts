/**
 * Starting what is of no use in part. What always holds: when a start fails half-way, what had started by then is stopped before the error is thrown, since
 * nobody else has got hold of it.
 */

import type { RigProcess } from './process.ts';

interface Stoppable {
  stop(): Promise<unknown>;
}

/** Several side by side: all of them, or none and the first one's error. */
export async function startAll<T extends readonly Stoppable[]>(
  starts: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const settled = await Promise.allSettled<Stoppable>(starts);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed === undefined) return Promise.all(starts) as Promise<unknown> as Promise<T>;
  await Promise.all(settled.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
  throw failed.reason;
}

/** A process that counts once `ready` says so. Throws, with its log's end, when it ends before; it is killed when `ready` fails. */
export async function startedOnce(child: RigProcess, ready: Promise<unknown>): Promise<void> {
  const ended = child.exited.then(({ code, signal }) => {
    throw new Error(`${child.name} ended (${code ?? signal}) before it was ready:\n${child.logTail()}`);
  });
  ended.catch(() => {});
  ready.catch(() => {});
  try {
    await Promise.race([ended, ready]);
  } catch (error) {
    await child.kill();
    throw error;
  }
}
