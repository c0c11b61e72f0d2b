/**
 * YAML text in, documents out, with the settings that every reader and writer of these files shares.
 *
 * What always holds: text that nests too deeply is given up before anything recurses into it; the work can be done in slices, since the parser
 * takes about a second per megabyte.
 */

import { Composer, type Document, Lexer, Parser } from 'yaml';
import { DepthGuard } from './depth.ts';

/**
 * Duplicate keys are looked for afterwards (`checks.ts`): the parser compares each key with every other of its mapping, which takes minutes for
 * a mapping of a few megabytes.
 */
const options = { stringKeys: true, merge: true, prettyErrors: false, logLevel: 'error', uniqueKeys: false } as const;

/** Characters between two steps. */
const charsPerStep = 4096;

export class TooDeep extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super('it is nested too deeply');
    this.name = 'TooDeep';
    this.offset = offset;
  }
}

/** Yields how many characters were read since the last time. @throws TooDeep; RangeError where the stack does not suffice. */
export function* parseInSteps(text: string): Generator<number, readonly Document.Parsed[]> {
  const guard = new DepthGuard();
  const parser = new Parser();
  const composer = new Composer(options);
  const documents: Document.Parsed[] = [];
  let offset = 0;
  let told = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (guard.exceeds(lexeme)) throw new TooDeep(offset);
    if (!isMark(lexeme)) offset += lexeme.length;
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token));
    if (offset - told < charsPerStep) continue;
    yield offset - told;
    told = offset;
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end());
  yield text.length - told;
  return documents;
}

/** What the lexer puts between the pieces of the text to say what comes next. */
function isMark(lexeme: string): boolean {
  return lexeme === '\x02' || lexeme === '\x18' || lexeme === '\x1f';
}

/** As `parseInSteps`, all at once. */
export function parseDocuments(text: string): readonly Document.Parsed[] {
  const steps = parseInSteps(text);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
