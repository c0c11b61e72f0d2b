/**
 * Exported labels and annotations as an API takes them on an object. In: what a ServiceExport's spec says, which nobody has checked. Out: those that
 * can be labels or annotations; one that cannot would make the whole import impossible to write.
 */

type Values = Readonly<Record<string, string>>;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const keyPattern = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
/** All annotations of an object together may have 256 KiB. */
const annotationsMax = 128 * 1024;

export function usableLabels(labels: Values): Values {
  return fromSorted(Object.entries(labels).filter(([key, value]) => keyPattern.test(key) && valuePattern.test(value)));
}

/** The first by name, as far as there is room. */
export function usableAnnotations(annotations: Values): Values {
  let left = annotationsMax;
  return fromSorted(
    Object.entries(annotations)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([key, value]) => {
        if (!keyPattern.test(key)) return false;
        left -= Buffer.byteLength(key) + Buffer.byteLength(value);
        return left >= 0;
      }),
  );
}

/** How many of an export's labels and annotations are left out. */
export function unusableCount({
  labels,
  annotations,
}: {
  readonly labels: Values;
  readonly annotations: Values;
}): number {
  const all = Object.keys(labels).length + Object.keys(annotations).length;
  return all - Object.keys(usableLabels(labels)).length - Object.keys(usableAnnotations(annotations)).length;
}

function fromSorted(entries: readonly (readonly [string, string])[]): Values {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
