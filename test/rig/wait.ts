/** Waiting for a condition, with a deadline and an error that says what was last seen. */

export interface WaitOptions {
  /** Default 20 s. */
  readonly timeoutMs?: number;
  /** Default 50 ms. */
  readonly intervalMs?: number;
}

/**
 * Calls `probe` until it returns something other than undefined and false, and gives that back. A throwing probe counts as not yet; when
 * the time is up its last error, or its last value through `describe`, is part of the message.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
  describe?: () => string,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 20_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      lastError = undefined;
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      const seen = lastError === undefined ? (describe?.() ?? '') : String(lastError);
      throw new Error(`waited ${timeoutMs} ms for ${what}${seen === '' ? '' : `; last: ${seen}`}`);
    }
    await pause(options.intervalMs ?? 50);
  }
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
