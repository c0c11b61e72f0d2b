/**
 * How deep YAML text nests, found before it is parsed: the parser recurses, and takes seconds for a few kilobytes of opening brackets.
 */

import { Lexer } from 'yaml';

/** Far more than any manifest needs. */
export const maxYamlDepth = 100;

/** The line (from 1) where nesting in flow style, or of block sequences in one line, goes beyond the limit; undefined where it does not. */
export function tooDeepAt(text: string): number | undefined {
  if (!mayBeDeep(text)) return undefined;
  let line = 1;
  let flow = 0;
  let indicators = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') flow += 1;
    else if (token === ']' || token === '}') flow -= 1;
    if (token === '-' || token === '?' || token === ':') indicators += 1;
    else if (token.trim() !== '' || token.includes('\n')) indicators = 0;
    if (flow > maxYamlDepth || indicators > maxYamlDepth) return line;
    for (let at = token.indexOf('\n'); at >= 0; at = token.indexOf('\n', at + 1)) line += 1;
  }
  return undefined;
}

/** A cheap look that spares ordinary files the exact one: too few brackets, and no line with so many indicators. */
function mayBeDeep(text: string): boolean {
  let brackets = 0;
  let indicators = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 91 || code === 123) brackets += 1;
    else if (code === 45 || code === 63 || code === 58) indicators += 1;
    else if (code === 10) indicators = 0;
    if (brackets > maxYamlDepth || indicators > maxYamlDepth) return true;
  }
  return false;
}
