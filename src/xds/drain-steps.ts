/** How many streams a server that ends lets go at a time, so that the server that takes them over is not stormed. */

/** Between two steps. */
export const drainStepMs = 20;

/** A server takes on a client in about 2 ms. */
const perStreamMs = 2;

/** How many to end in each step; in all `streams`, over at most half of `deadlineMs`. Few are ended at once. */
export function drainSteps(streams: number, deadlineMs: number): readonly number[] {
  const spreadMs = Math.min(streams * perStreamMs, deadlineMs / 2);
  const steps = Math.max(1, Math.floor(spreadMs / drainStepMs));
  const upTo = (step: number): number => Math.floor((streams * step) / steps);
  return Array.from({ length: steps }, (_, step) => upTo(step + 1) - upTo(step));
}
