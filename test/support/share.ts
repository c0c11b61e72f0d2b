/**
 * Shares that are drawn by chance, and when a count of them is wrong.
 *
 * The bar is the one of traffic rules: a share may be as far off as three standard deviations over 2,000 requests. Held to that over 2,000, one check
 * in 370 would fail by chance, and Envoy takes no seed. So more are drawn, and the share of all is held to the same distance: over 5,000 that is 4.7
 * standard deviations, which chance exceeds in one check of 480,000, and in one run of 20,000 with the two dozen checks that there are. A share that
 * is wrong by that distance is found half of the time, as before, and one wrong by twice as much almost always (before: 99.9 %).
 */

import assert from 'node:assert/strict';

/** How many requests a share is taken over. */
export const shareRequests = 5000;

/** Of the bar. */
const barRequests = 2000;

/** How far off a share may be. */
export function shareTolerance(share: number): number {
  return 3 * Math.sqrt((share * (1 - share)) / barRequests);
}

/** `share`: 0 to 1, which are held to exactly. `of` requests were drawn, at least `shareRequests`. */
export function assertShare(count: number, share: number, of: number, what: string): void {
  assert.ok(of >= shareRequests || share === 0 || share === 1, `${of} requests are too few for a share`);
  const away = Math.abs(count / of - share);
  const allowed = shareTolerance(share);
  assert.ok(
    away <= allowed,
    `${what}: ${count} of ${of}, which is ${(count / of).toFixed(4)}; wanted ${share} ± ${allowed.toFixed(4)}`,
  );
}
