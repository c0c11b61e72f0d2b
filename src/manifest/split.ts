/**
 * YAML text cut at its `---` lines, so that each part can be read, kept and looked up by itself.
 *
 * What always holds: the parts, joined, are the text; the documents of the parts, in order, are those of the text.
 */

export interface TextPart {
  readonly text: string;
  /** The line (from 1) where it begins; it always begins at the start of a line. */
  readonly line: number;
}

/** Directives and `...` reach beyond one document: a text that may have some stays whole. */
const indivisible = /(?:^\uFEFF?|\n)(?:%|\.\.\.)/;

export function splitDocuments(text: string): readonly TextPart[] {
  if (indivisible.test(text)) return [{ text, line: 1 }];
  const parts: TextPart[] = [];
  let start = 0;
  let startLine = 1;
  let line = 1;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) {
    line += 1;
    if (!isMarker(text, end + 1)) continue;
    parts.push({ text: text.slice(start, end + 1), line: startLine });
    start = end + 1;
    startLine = line;
  }
  parts.push({ text: text.slice(start), line: startLine });
  return parts;
}

function isMarker(text: string, at: number): boolean {
  if (!text.startsWith('---', at)) return false;
  const next = text[at + 3];
  return next === undefined || next === ' ' || next === '\t' || next === '\n' || next === '\r';
}
