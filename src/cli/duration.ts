/** Durations as people write and read them: `500ms`, `30s`, `1m30s`, `2h`; and ages as kubectl prints them: `12s`, `3m`, `2d4h`. */

import { usageError } from './failure.ts';

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A timer of Node's holds no more. */
const longestMs = 2 ** 31 - 1;

/**
 * ms. `0` needs no unit.
 * @throws FairwayError FW-CLI-004 when it is not a duration, or longer than 24 days.
 */
export function parseDuration(text: string, flag: string): number {
  let total = 0;
  let rest = text;
  while (rest !== '' && rest !== '0') {
    const part = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/.exec(rest);
    if (part === null) break;
    total += Number(part[1]) * (unitMs.get(part[2] ?? '') ?? Number.NaN);
    rest = rest.slice(part[0].length);
  }
  const complete = text === '0' || (text !== '' && rest === '');
  if (!complete || !(total <= longestMs)) {
    throw usageError({
      code: 'FW-CLI-004',
      message: `${flag} ${JSON.stringify(text)} is not a duration`,
      hint: 'Give a number with a unit, as in 500ms, 30s, 1m30s or 2h, of at most 24 days',
    });
  }
  return Math.round(total);
}

/** `12s`, `3m`, `3m12s` below ten minutes, `5h`, `5h20m` below eight hours, `2d`, never negative: a clock that is ahead reads as `0s`. */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (Number.isNaN(seconds)) return '?';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes}m${seconds % 60 === 0 ? '' : `${seconds % 60}s`}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${minutes % 60 === 0 ? '' : `${minutes % 60}m`}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return `${days}d${hours % 24 === 0 ? '' : `${hours % 24}h`}`;
  return `${days}d`;
}

/** The age of an RFC 3339 time; `-` for none. */
export function ageOf(time: string | undefined, nowMs: number): string {
  if (time === undefined || time === '') return '-';
  return formatAge(nowMs - Date.parse(time));
}
