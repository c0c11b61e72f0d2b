/** What can stand in the path of a request, and how the rest is written. https://www.rfc-editor.org/rfc/rfc3986#section-3.3 */

/** Anything else no request can hold, in its path or elsewhere in its URL: spaces, control characters, all beyond ASCII. */
export function holdsUnwritable(path: string): boolean {
  return /[^!-~]/.test(path);
}

/** The path as a request writes it: `/a%20b` for `/a b`. What can stand there stays as it is, also `%`. */
export function percentEncoded(path: string): string {
  const encoded = (character: string): string =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  return path.replaceAll(/[^!-~]/gu, encoded);
}
