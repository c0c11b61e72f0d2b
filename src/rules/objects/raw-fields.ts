/** Looks into specs that nobody has checked: what is not there, or of another type, is left out. */

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** '' for what is no text. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The items of a list; none of what is no list. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
