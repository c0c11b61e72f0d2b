/** How durations are written. How schemas are written here: see traffic-rule/schema/spec.ts. */

export const durationText = {
  type: 'string',
  minLength: 2,
  maxLength: 32,
  pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$',
  'x-fairway': { code: 'FW-RULE-030', says: 'must be a duration such as 500ms, 3s or 1h30m' },
} as const;

/** For what means nothing when it is none at all. */
export const positiveDuration = {
  ...durationText,
  'x-kubernetes-validations': [{ rule: "duration(self) > duration('0s')", message: 'must be longer than 0s' }],
} as const;

/** A CEL rule for the API server; checks of our own say the same by `checkShortest`. */
export function atLeast(shortest: string): { readonly rule: string; readonly message: string } {
  return { rule: `duration(self) >= duration('${shortest}')`, message: `must be at least ${shortest}` };
}
