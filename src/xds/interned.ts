/**
 * One string for all that are equal: a thousand proxies that ask for the same names then hold them once. In: strings. Out: equal ones, the very same
 * object each time. Always: bounded; what is forgotten is learnt again.
 */

export class Interned {
  readonly #maxLength: number;
  readonly #known = new Map<string, string>();
  #length = 0;

  /** Of all strings that are kept, in characters. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  of(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#length + text.length > this.#maxLength) {
      this.#known.clear();
      this.#length = 0;
    }
    this.#known.set(text, text);
    this.#length += text.length;
    return text;
  }
}
