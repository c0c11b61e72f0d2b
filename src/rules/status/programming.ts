/** How far something that people applied has got, over all replicas of the pilot, and the words for it. */

export interface Programming {
  /** Connected proxies that hold what is in force of this object. */
  readonly acknowledged: number;
  /** Connected proxies that are to hold it. */
  readonly total: number;
  /** Proxies that refused it, with Envoy's own words. */
  readonly rejections: readonly { readonly node: string; readonly error: string }[];
  /** How many more refused it, whose words are not at hand. */
  readonly moreRejections?: number;
  /** Replicas of the pilot whose proxies are counted; absent: this one alone. */
  readonly pilots?: number;
  /** Replicas with proxies that have not said that they know this form of it. */
  readonly behind?: number;
}

/** `4 of 6 proxies acknowledged (2 pilots)`. */
export function countWords({ acknowledged, total, pilots = 1, behind = 0 }: Programming): string {
  const count = `${acknowledged} of ${total} proxies acknowledged`;
  const of = pilots > 1 ? ` (${pilots} pilots)` : '';
  const late = behind === 0 ? '' : `; ${behind} ${behind === 1 ? 'pilot has' : 'pilots have'} not taken it up yet`;
  return `${count}${of}${late}`;
}

/** All of them hold it. */
export function isComplete({ acknowledged, total, behind = 0 }: Programming): boolean {
  return acknowledged >= total && behind === 0;
}

/** All of them hold it, and nobody refused it: what proxies acknowledge from here on changes nothing. */
export function isSettled(programming: Programming): boolean {
  const { rejections, moreRejections = 0 } = programming;
  return isComplete(programming) && rejections.length + moreRejections === 0;
}

/** Nobody is there to hold it. */
export function isUnasked({ total, behind = 0 }: Programming): boolean {
  return total === 0 && behind === 0;
}
