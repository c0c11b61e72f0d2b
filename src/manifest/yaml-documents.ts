/**
 * YAML (or JSON) text in, objects with their places out: for folders of clusters and rules, and for what people apply.
 *
 * What always holds: a file gives all of its objects or, when any part of it cannot be read, none and the reasons; nothing here throws; size,
 * number, nesting, aliases and findings are bounded. A position is found when it is asked for, by parsing its document again, so that objects
 * which nobody complains about cost no syntax tree; a document that is written as it was before is not parsed again.
 */

import { setImmediate } from 'node:timers/promises';
import { type Document, isScalar, type ParsedNode } from 'yaml';
import { type ErrorCode, errorMessage, type Finding, type Where } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import { type DocumentFault, documentFaults, maxAliasesPerDocument } from './checks.ts';
import { maxYamlDepth } from './depth.ts';
import { parseInSteps, TooDeep } from './parse.ts';
import { Places, placeAt, type YamlPath } from './places.ts';
import { splitDocuments, type TextPart } from './split.ts';

export interface YamlLimits {
  /** In one file. */
  readonly maxChars: number;
  /** Objects in one file, the items of lists counted. */
  readonly maxObjects: number;
  /** How often the values behind one anchor may stand in the document, itself and what other aliases make of it counted; more is an alias bomb. */
  readonly maxAliases: number;
}

export const defaultYamlLimits: YamlLimits = { maxChars: 4 * 1024 * 1024, maxObjects: 50_000, maxAliases: 100 };

export interface YamlFile {
  /** In the order of the file; lists (`kind: List`, `ServiceList`, …) are opened. */
  readonly objects: readonly YamlObject[];
  /** Those of the documents that could be read, also where others could not: for judging, not for acting on. */
  readonly sound: readonly YamlObject[];
  readonly findings: readonly Finding[];
  /** Some part could not be read: there are no objects, and what the file held before should stay. */
  readonly broken: boolean;
  /** By its text, what each sound part holds: for the next reading. */
  readonly parts: YamlParts;
}

export type YamlParts = ReadonlyMap<string, PartValues>;

export interface YamlObject extends RawObject {
  /** Which document of the file, from 0. */
  readonly document: number;
  /** The document as it was written, and the line (from 1) where it begins: equal ones have equal objects at equal places. */
  readonly text: string;
  readonly line: number;
  /** Where in the document: [] or `['items', 3]`. */
  readonly path: YamlPath;
}

/** What a part holds wherever it stands. */
interface PartValues {
  readonly documents: number;
  readonly objects: readonly {
    /** Within the part, as its text and line. */
    readonly document: number;
    readonly text: string;
    readonly line: number;
    readonly path: YamlPath;
    readonly object: unknown;
  }[];
}

export interface ReadOptions {
  readonly limits?: YamlLimits;
  /** `parts` of an earlier reading. */
  readonly before?: YamlParts;
}

/** Shown of one document: one missing bracket makes many errors, and the first ones tell. */
const maxErrorsPerDocument = 3;
/** Shown of one file; the rest of it is then not read. */
const maxFindings = 50;

/** Read between two turns of the event loop, chars: some 10 ms. */
const charsPerTurn = 8192;

/** `file` is what people are shown, and the objects' origin. */
export function readYaml(text: string, file: string, options: ReadOptions = {}): YamlFile {
  const steps = readInSteps(text, file, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As `readYaml`, with a turn of the event loop every few kilobytes. One document's tree is made in one go all the same. */
export async function readYamlInTurns(text: string, file: string, options: ReadOptions = {}): Promise<YamlFile> {
  const steps = readInSteps(text, file, options);
  let read = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    read += step.value;
    if (read < charsPerTurn) continue;
    read = 0;
    await setImmediate();
  }
}

/** Yields how many characters were read since the last time. */
function* readInSteps(
  text: string,
  file: string,
  { limits = defaultYamlLimits, before }: ReadOptions,
): Generator<number, YamlFile> {
  const sound: YamlObject[] = [];
  const findings: Finding[] = [];
  const parts = new Map<string, PartValues>();
  if (text.length > limits.maxChars) {
    findings.push(
      finding('FW-FILE-014', `it has more than ${limits.maxChars} characters`, { file }, 'Split the file.'),
    );
    return { objects: [], sound, findings, broken: true, parts };
  }
  let documents = 0;
  for (const part of splitDocuments(text)) {
    const known = before?.get(part.text) ?? parts.get(part.text);
    const values: PartValues | readonly Finding[] = known ?? (yield* readPart(part, file, limits));
    if ('documents' in values) {
      parts.set(part.text, values);
      sound.push(...objectsOf(values, part, file, documents));
      documents += values.documents;
    } else {
      findings.push(...values);
      documents += 1;
    }
    if (sound.length > limits.maxObjects) {
      findings.push(
        finding('FW-FILE-014', `it holds more than ${limits.maxObjects} objects`, { file }, 'Split the file.'),
      );
      break;
    }
    if (findings.length >= maxFindings) {
      findings.push(
        finding(
          'FW-FILE-022',
          `so much is wrong that it was not read further than line ${part.line}`,
          { file },
          'Correct what is said so far.',
        ),
      );
      break;
    }
  }
  const broken = findings.length > 0;
  return { objects: broken ? [] : sound, sound, findings, broken, parts };
}

function objectsOf(values: PartValues, part: TextPart, file: string, documents: number): readonly YamlObject[] {
  const places = new Places(part, file);
  return values.objects.map(({ document, text, line, path, object }) => ({
    object,
    document: documents + document,
    text,
    line: part.line + line - 1,
    path,
    origin: file,
    where: (inner, what = 'value') => places.find(document, [...path, ...inner], what),
  }));
}

function* readPart(
  part: TextPart,
  file: string,
  limits: YamlLimits,
): Generator<number, PartValues | readonly Finding[]> {
  const at = (offset: number): Where => placeAt(part, file, offset);
  try {
    const documents: readonly Document.Parsed[] = yield* parseInSteps(part.text);
    const findings = documents.flatMap((document) => documentFindings(document, at));
    if (findings.length > 0) return findings.slice(0, maxFindings);
    const objects: PartValues['objects'][number][] = [];
    for (const [index, document] of documents.entries()) {
      if (document.contents === null || isNull(document.contents)) continue;
      const value = valueOf(document, limits, at);
      if ('finding' in value) return [value.finding];
      const [start, , end] = document.range;
      const text = part.text.slice(start, end);
      const line = placeAt({ text: part.text, line: 1 }, '', start).line ?? 1;
      for (const [path, object] of openLists(value.object)) objects.push({ document: index, text, line, path, object });
    }
    return { documents: documents.length, objects };
  } catch (error) {
    if (error instanceof TooDeep) {
      return [
        finding(
          'FW-FILE-021',
          `it is nested too deeply: more than ${maxYamlDepth} levels`,
          at(error.offset),
          'Write it flatter.',
        ),
      ];
    }
    return [finding('FW-FILE-001', errorMessage(error), at(0), 'Correct the YAML.')];
  }
}

function valueOf(
  document: Document.Parsed,
  limits: YamlLimits,
  at: (offset: number) => Where,
): { readonly object: unknown } | { readonly finding: Finding } {
  try {
    return { object: document.toJS({ maxAliasCount: limits.maxAliases }) };
  } catch (error) {
    const where = at(document.contents?.range[0] ?? document.range[0]);
    const isBomb = error instanceof ReferenceError && /alias count/i.test(error.message);
    if (!isBomb) return { finding: finding('FW-FILE-001', errorMessage(error), where, 'Correct the YAML.') };
    return {
      finding: finding(
        'FW-FILE-003',
        `its aliases expand to more than ${limits.maxAliases} times what is written`,
        where,
        'Write the values out.',
      ),
    };
  }
}

/** All that a document must not have: errors, tags that mean nothing here, and what `checks.ts` looks for. */
function documentFindings(document: Document.Parsed, at: (offset: number) => Where): readonly Finding[] {
  const errors = [...document.errors, ...document.warnings].slice(0, maxErrorsPerDocument).map((error) => {
    const message = /call stack/.test(error.message) ? 'it is nested too deeply' : error.message;
    return finding('FW-FILE-001', message, at(error.pos[0]), 'Correct the YAML.');
  });
  // Where it does not parse, the rest is guesswork.
  if (errors.length > 0) return errors;
  return documentFaults(document, maxFindings).map((fault) => faultFinding(fault, at(fault.offset)));
}

function faultFinding({ kind, name }: DocumentFault, where: Where): Finding {
  switch (kind) {
    case 'duplicate':
      return finding('FW-FILE-002', 'the key stands there twice', where, 'Remove one of the two.');
    case 'proto':
      return finding('FW-FILE-004', 'a key must not be "__proto__"', where, 'Remove the key.');
    case 'no-anchor':
      return finding('FW-FILE-001', `*${name} has no anchor before it`, where, 'Correct the YAML.');
    case 'aliases': {
      return finding(
        'FW-FILE-003',
        `it uses more than ${maxAliasesPerDocument} aliases in one document`,
        where,
        'Write the values out.',
      );
    }
  }
}

function finding(code: ErrorCode, message: string, where: Where, hint: string): Finding {
  return { code, severity: 'error', message, where, hint };
}

function isNull(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.anchor === undefined;
}

/** `kubectl get -o yaml` writes lists; their items are what is meant. */
function* openLists(value: unknown): Generator<readonly [YamlPath, unknown]> {
  const list = value as { readonly kind?: unknown; readonly items?: unknown };
  const isList =
    typeof value === 'object' && value !== null && typeof list.kind === 'string' && list.kind.endsWith('List');
  if (!isList || !Array.isArray(list.items)) {
    yield [[], value];
    return;
  }
  for (const [index, item] of list.items.entries()) yield [['items', index], item];
}
