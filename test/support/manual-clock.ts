/** A clock that stands still until a test moves it; timers run in order of their time, inside `advance`. */

import type { Clock, Timer } from '../../src/core/clock.ts';

export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #sequence = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly sequence: number; readonly callback: () => void }>();

  constructor(nowMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#monotonicMs + delayMs, sequence: this.#sequence++, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence);
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers.delete(next);
      this.#move(next.dueMs - this.#monotonicMs);
      next.callback();
    }
    this.#move(endMs - this.#monotonicMs);
  }

  #move(ms: number): void {
    this.#monotonicMs += Math.max(0, ms);
    this.#nowMs += Math.max(0, ms);
  }
}
