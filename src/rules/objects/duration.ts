/** Gateway API's durations (GEP-2257): whole numbers with h, m, s and ms, as in `1h30m` or `500ms`. */

const unitMs: ReadonlyMap<string, number> = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]);

const form = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/;

/** In ms; undefined when it is not a duration. */
export function durationMs(text: string): number | undefined {
  if (!form.test(text)) return undefined;
  let total = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(/([0-9]+)(ms|h|m|s)/g))
    total += Number(digits) * (unitMs.get(unit) ?? 0);
  return total;
}
