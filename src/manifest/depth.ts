/**
 * How deep YAML text nests, found while it is cut into tokens: what follows recurses, and takes seconds for a few kilobytes of opening brackets.
 */

/** Far more than any manifest needs. */
export const maxYamlDepth = 100;

/** Told every token of a text, in order. */
export class DepthGuard {
  #flow = 0;
  #indicators = 0;

  /** Whether nesting in flow style, or of block collections begun in one line, goes beyond the limit with this token. */
  exceeds(token: string): boolean {
    if (token === '[' || token === '{') this.#flow += 1;
    else if (token === ']' || token === '}') this.#flow -= 1;
    if (token === '-' || token === '?' || token === ':') this.#indicators += 1;
    else if (this.#indicators > 0 && (token.trim() !== '' || token.includes('\n'))) this.#indicators = 0;
    return this.#flow > maxYamlDepth || this.#indicators > maxYamlDepth;
  }
}
