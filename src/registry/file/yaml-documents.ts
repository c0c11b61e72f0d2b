/**
 * YAML (or JSON) text in, objects with their places out: shared by the file registry and the rules folder.
 *
 * What always holds: a file gives all of its objects or, when any part of it cannot be read, none and the reasons; nothing here throws; a
 * position is found when it is asked for, by parsing again, so that objects which nobody complains about cost no syntax tree.
 */

import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  visit,
} from 'yaml';
import { type ErrorCode, errorMessage, type Finding, type Where } from '../../core/errors.ts';
import type { RawObject } from '../../model/object.ts';
import { maxYamlDepth, tooDeepAt } from './yaml-depth.ts';

export interface YamlLimits {
  /** Objects in one file, the items of lists counted. */
  readonly maxObjects: number;
  /** How often aliases may be resolved; more is an alias bomb. */
  readonly maxAliases: number;
}

export const defaultYamlLimits: YamlLimits = { maxObjects: 50_000, maxAliases: 100 };

export interface YamlFile {
  /** In the order of the file; lists (`kind: List`, `ServiceList`, …) are opened. */
  readonly objects: readonly YamlObject[];
  readonly findings: readonly Finding[];
  /** Some part could not be read: there are no objects, and what the file held before should stay. */
  readonly broken: boolean;
}

export interface YamlObject extends RawObject {
  /** Which document of the file, from 0. */
  readonly document: number;
  /** The document as it was written, and the line (from 1) where it begins: equal ones have equal objects at equal places. */
  readonly text: string;
  readonly line: number;
  /** Where in the document: [] or `['items', 3]`. */
  readonly path: readonly (string | number)[];
}

export type YamlPath = readonly (string | number)[];

/** `file` is what people are shown, and the objects' origin. */
export function readYaml(text: string, file: string, limits: YamlLimits = defaultYamlLimits): YamlFile {
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    const message = `it is nested too deeply: more than ${maxYamlDepth} levels`;
    return broken(finding('FW-FILE-021', message, { file, line: deep, column: 1 }, 'Write it flatter.'));
  }
  const lines = new LineCounter();
  let documents: readonly Document.Parsed[];
  try {
    documents = parseDocuments(text, lines);
  } catch (error) {
    return broken(finding('FW-FILE-001', errorMessage(error), { file }, 'Correct the YAML.'));
  }
  const findings = documents.flatMap((document) => documentFindings(document, file, lines));
  if (findings.length > 0) return { objects: [], findings, broken: true };

  const source = new Places(text, file);
  const objects: YamlObject[] = [];
  for (const [index, document] of documents.entries()) {
    if (document.contents === null || isNull(document.contents)) continue;
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: limits.maxAliases });
    } catch (error) {
      const bomb = error instanceof ReferenceError && /alias count/i.test(error.message);
      const where = source.find(index, []);
      if (!bomb) return broken(finding('FW-FILE-001', errorMessage(error), where, 'Correct the YAML.'));
      return broken(
        finding(
          'FW-FILE-003',
          `its aliases expand to more than ${limits.maxAliases} times what is written`,
          where,
          'Write the values out.',
        ),
      );
    }
    const [start, , end] = document.range;
    const written = { text: text.slice(start, end), line: lines.linePos(start).line };
    for (const [path, object] of openLists(value)) {
      objects.push({
        ...written,
        object,
        document: index,
        path,
        origin: file,
        where: (inner) => source.find(index, [...path, ...inner]),
      });
    }
    if (objects.length > limits.maxObjects) {
      return broken(
        finding(
          'FW-FILE-014',
          `it holds more than ${limits.maxObjects} objects`,
          { file },
          'Split the file, or raise the limit.',
        ),
      );
    }
  }
  return { objects, findings: [], broken: false };
}

/** The documents with the settings that every reader and writer of these files shares. */
export function parseDocuments(text: string, lineCounter?: LineCounter): Document.Parsed[] {
  const options = { stringKeys: true, merge: true, prettyErrors: false, logLevel: 'error' } as const;
  const documents = parseAllDocuments(text, lineCounter === undefined ? options : { ...options, lineCounter });
  return 'empty' in documents ? [] : documents;
}

function broken(reason: Finding): YamlFile {
  return { objects: [], findings: [reason], broken: true };
}

function finding(code: ErrorCode, message: string, where: Where, hint: string): Finding {
  return { code, severity: 'error', message, where, hint };
}

/** All that a document must not have: errors, tags that mean nothing here, aliases of nothing, keys that reach for prototypes. */
function documentFindings(document: Document.Parsed, file: string, lines: LineCounter): readonly Finding[] {
  const findings: Finding[] = [];
  const at = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  for (const error of [...document.errors, ...document.warnings]) {
    const where = at(error.pos[0]);
    const message = /call stack/.test(error.message) ? 'it is nested too deeply' : error.message;
    if (error.code === 'DUPLICATE_KEY')
      findings.push(finding('FW-FILE-002', 'the key stands there twice', where, 'Remove one of the two.'));
    else findings.push(finding('FW-FILE-001', message, where, 'Correct the YAML.'));
  }
  if (findings.length > 0) return findings;
  const anchors = new Set<string>();
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== '__proto__') return;
      const where = at(pair.key.range?.[0] ?? 0);
      findings.push(finding('FW-FILE-004', 'a key must not be "__proto__"', where, 'Remove the key.'));
    },
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
      } else if (!anchors.has(node.source)) {
        findings.push(
          finding(
            'FW-FILE-001',
            `*${node.source} has no anchor before it`,
            at(node.range?.[0] ?? 0),
            'Correct the YAML.',
          ),
        );
      }
    },
  });
  return findings;
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

/** Positions in one text. */
class Places {
  readonly #text: string;
  readonly #file: string;
  #parsed: WeakRef<{ readonly documents: readonly Document.Parsed[]; readonly lines: LineCounter }> | undefined;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  find(document: number, path: YamlPath): Where {
    const { documents, lines } = this.#parse();
    const contents = documents[document]?.contents;
    const field = formatPath(path);
    const where: Where = field === '' ? { file: this.#file } : { file: this.#file, field };
    if (!isNode(contents)) return where;
    const { line, col } = lines.linePos(offsetOf(contents, path));
    return { ...where, line, column: col };
  }

  #parse(): { readonly documents: readonly Document.Parsed[]; readonly lines: LineCounter } {
    const known = this.#parsed?.deref();
    if (known !== undefined) return known;
    const lines = new LineCounter();
    const parsed = { documents: parseDocuments(this.#text, lines), lines };
    this.#parsed = new WeakRef(parsed);
    return parsed;
  }
}

/** A scalar's own place; a block's place is its key's; of what is missing, the place of what it is missing from. */
function offsetOf(contents: Node, path: YamlPath): number {
  let node: Node = contents;
  let offset = contents.range?.[0] ?? 0;
  for (const step of path) {
    let next: unknown;
    let key: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === String(step));
      next = pair?.value;
      key = pair?.key;
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
    }
    const keyOffset = isNode(key) ? key.range?.[0] : undefined;
    if (!isNode(next)) return keyOffset ?? offset;
    const isBlock = isCollection(next) && next.flow !== true;
    offset = (isBlock ? keyOffset : undefined) ?? next.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}

/** `spec.routes[0].backends[1].weight` */
export function formatPath(path: YamlPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
