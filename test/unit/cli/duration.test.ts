import assert from 'node:assert/strict';
import { formatAge, parseDuration } from '../../../src/cli/duration.ts';

describe('cli durations', () => {
  it('reads every unit, alone and together', () => {
    const cases: [string, number][] = [
      ['500ms', 500],
      ['30s', 30_000],
      ['1m30s', 90_000],
      ['2h', 7_200_000],
      ['1.5s', 1500],
      ['1d', 86_400_000],
      ['0', 0],
    ];
    for (const [text, ms] of cases) assert.equal(parseDuration(text, '--timeout'), ms, text);
  });

  it('refuses what is no duration, and names the flag', () => {
    for (const text of ['', '5', 's', '-1s', '1s2', '1w', '00s1', '1e3s', '25d', '999999999999h', ' 1s']) {
      assert.throws(
        () => parseDuration(text, '--timeout'),
        { code: 'FW-CLI-004', exit: 2, message: /^--timeout / },
        text,
      );
    }
  });

  it('prints ages as kubectl does', () => {
    const second = 1000;
    const minute = 60 * second;
    const hour = 60 * minute;
    const cases: [number, string][] = [
      [-5 * second, '0s'],
      [999, '0s'],
      [119 * second, '119s'],
      [2 * minute, '2m'],
      [2 * minute + 5 * second, '2m5s'],
      [10 * minute + 59 * second, '10m'],
      [179 * minute, '179m'],
      [3 * hour, '3h'],
      [5 * hour + 20 * minute, '5h20m'],
      [47 * hour, '47h'],
      [48 * hour, '2d'],
      [51 * hour, '2d3h'],
      [10 * 24 * hour, '10d'],
      [Number.NaN, '?'],
    ];
    for (const [ms, text] of cases) assert.equal(formatAge(ms), text, String(ms));
  });
});
