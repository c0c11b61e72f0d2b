/**
 * Time as a parameter: whoever waits or measures takes a Clock, so that a test can own the time.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time, ms since the epoch: for what people read. */
  now(): number;
  /** Monotonic time, ms: for intervals and deadlines, unmoved by a clock that is set. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`; does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs`, or at once when `signal` aborts; never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
