/** Values that several of Istio's fields have: durations, percentages, ways to match text. In: parts. Out: plain values, or undefined with a note. */

import { show } from '../rules/objects/findings.ts';
import type { Notes } from './notes.ts';
import { child, numberOf, type Part, textOf } from './parts.ts';

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** Go's durations: `1.5s`, `1h30m`, `100ms`. */
export function isDuration(text: string): boolean {
  return /^([0-9]*\.?[0-9]+(h|ms|us|µs|ns|m|s))+$/.test(text) || text === '0';
}

/** In milliseconds. Parts of a millisecond are rounded up, which is told. */
export function durationOf(part: Part | undefined, notes: Notes): number | undefined {
  const text = textOf(part, notes);
  if (part === undefined || text === undefined) return undefined;
  if (!isDuration(text)) {
    notes.error('FW-ISTIO-003', part, `must be a duration such as 1.5s; it is ${show(text)}`);
    return undefined;
  }
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([0-9]*\.?[0-9]+)(h|ms|us|µs|ns|m|s)/g)) {
    ms += Number(amount) * (unitMs[unit] ?? 0);
  }
  const whole = Math.ceil(Number(ms.toFixed(6)));
  if (Math.abs(whole - ms) > 1e-6) {
    notes.warn('FW-ISTIO-004', part, `is rounded up to ${whole}ms: durations are whole milliseconds here`);
  }
  return whole;
}

/** As rules write durations: `1h30m`, `1s500ms`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  const parts: string[] = [];
  let left = ms;
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount > 0) parts.push(`${amount}${unit}`);
  }
  return parts.join('');
}

export function durationTextOf(part: Part | undefined, notes: Notes): string | undefined {
  const ms = durationOf(part, notes);
  return ms === undefined ? undefined : durationText(ms);
}

/** Of `{value: 0.1}`, in steps of 0.0001; 100 where it is left out. */
export function percentOf(percentage: Part | undefined, whole: Part | undefined, notes: Notes): number {
  const part = child(percentage, 'value') ?? (percentage === undefined ? whole : undefined);
  const given = numberOf(part, notes);
  // `percentage: {}` is Istio's 0.
  if (part === undefined || given === undefined) return percentage === undefined ? 100 : 0;
  const bounded = Math.min(100, Math.max(0, given));
  const percent = Math.round(bounded * 10_000) / 10_000;
  if (percent !== given)
    notes.warn('FW-ISTIO-004', part, `is taken as ${percent}: shares are steps of 0.0001 from 0 to 100`);
  return percent;
}

export type TextMatch =
  | { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string }
  /** Whatever the value is. */
  | { readonly kind: 'present' };

/** `{}`, and a regular expression that everything matches, ask for no more than that there is a value. */
export function textMatchOf(part: Part | undefined, notes: Notes): TextMatch | undefined {
  if (part === undefined) return undefined;
  const given = (['exact', 'prefix', 'regex'] as const).flatMap((kind) => {
    const at = child(part, kind);
    if (at === undefined) return [];
    if (typeof at.value !== 'string') {
      notes.error('FW-ISTIO-003', at, `must be text; it is ${show(at.value)}`);
      return [];
    }
    return [{ kind, value: at.value, at }];
  });
  if (given.length > 1) {
    notes.error(
      'FW-ISTIO-003',
      part,
      `must have one of exact, prefix and regex; it has ${given.map(({ kind }) => kind).join(' and ')}`,
    );
  }
  const [match] = given;
  if (match === undefined || (match.kind === 'regex' && ['.*', '*', ''].includes(match.value)))
    return { kind: 'present' };
  if (match.value === '' && match.kind === 'exact') {
    notes.error(
      'FW-ISTIO-005',
      match.at,
      'an empty value cannot be matched here',
      'Match by regex or by what it is not',
    );
  }
  if (match.value === '') return { kind: 'present' };
  return { kind: match.kind, value: match.value };
}
