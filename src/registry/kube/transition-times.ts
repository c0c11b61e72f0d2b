/** Conditions as they are to be written, beside those that are there. Pure. */

/** The status to write, with the API's lastTransitionTime for each condition whose status is the same there. */
export function keepTransitionTimes(wanted: unknown, held: unknown): unknown {
  const before = conditionsOf(held);
  const conditions = conditionsOf(wanted);
  if (conditions.length === 0) return wanted;
  return {
    ...(wanted as object),
    conditions: conditions.map((condition) => {
      const same = before.find(({ type, status }) => type === condition['type'] && status === condition['status']);
      const time = same?.['lastTransitionTime'];
      return typeof time === 'string' ? { ...condition, lastTransitionTime: time } : condition;
    }),
  };
}

/** Types of conditions that are Fairway's own, whether or not a status has them now: one that is not wanted any more must go. */
const ownTypes: ReadonlySet<unknown> = new Set(['Accepted', 'ResolvedRefs', 'Programmed']);

/** The held status without the conditions that somebody else keeps there (a deployment tool's, say): server-side apply leaves them alone. */
export function withoutForeign(held: unknown, wanted: unknown): unknown {
  const all = conditionsOf(held);
  const ours = new Set(conditionsOf(wanted).map(({ type }) => type));
  const own = all.filter(({ type }) => ownTypes.has(type) || ours.has(type));
  return own.length === all.length ? held : { ...(held as object), conditions: own };
}

function conditionsOf(status: unknown): readonly Readonly<Record<string, unknown>>[] {
  const conditions =
    typeof status === 'object' && status !== null ? (status as Record<string, unknown>)['conditions'] : undefined;
  return Array.isArray(conditions) ? conditions.filter((item) => typeof item === 'object' && item !== null) : [];
}
