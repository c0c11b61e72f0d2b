/**
 * Kubernetes-style manifests as people write them: text of a file, folder or stdin in; objects that know their line and column out, together
 * with a finding for each thing that is not YAML or not an object.
 *
 * What always holds: nothing is dropped silently (a document is an object, empty, or a finding); size, count and aliases are bounded, so that
 * neither a huge file nor an alias bomb costs more than a message.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
} from 'yaml';
import { errorMessage, type Finding, type Where } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import { usageError } from './failure.ts';

export interface DocumentLimits {
  readonly fileBytes: number;
  readonly objects: number;
  /** How often one document's anchors may be used, all told. */
  readonly aliases: number;
  readonly files: number;
  /** Told per document. */
  readonly syntaxErrors: number;
}

export const documentLimits: DocumentLimits = {
  fileBytes: 1024 * 1024,
  objects: 1000,
  aliases: 100,
  files: 500,
  syntaxErrors: 3,
};

export interface ReadDocuments {
  readonly objects: readonly RawObject[];
  readonly findings: readonly Finding[];
}

type Path = readonly (string | number)[];

/**
 * Reads every `-f`: a file, a folder (its .yaml, .yml and .json files, not deeper), or `-` for stdin.
 * @throws CommandFailure FW-CLI-020 for a path that cannot be read, FW-CLI-021 for one that is too big.
 */
export function readSources(sources: readonly string[], limits: DocumentLimits = documentLimits): ReadDocuments {
  const objects: RawObject[] = [];
  const findings: Finding[] = [];
  for (const { file, text } of sources.flatMap((source) => readTexts(source, limits))) {
    const read = readDocuments(text, file, limits);
    objects.push(...read.objects);
    findings.push(...read.findings);
    if (objects.length > limits.objects) {
      throw tooBig(file, `there are more than ${limits.objects} objects`, 'Apply them in several goes');
    }
  }
  return { objects, findings };
}

function readTexts(source: string, limits: DocumentLimits): { readonly file: string; readonly text: string }[] {
  if (source === '-') return [{ file: '<stdin>', text: readText(0, '<stdin>', limits) }];
  if (!isFolder(source)) return [{ file: source, text: readText(source, source, limits) }];
  const names = readdirSync(source)
    .filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith('.'))
    .sort();
  if (names.length > limits.files) {
    throw tooBig(source, `it holds more than ${limits.files} files`, 'Apply them in several goes');
  }
  const files = names.map((name) => join(source, name)).filter((file) => !isFolder(file));
  if (files.length === 0) {
    throw usageError({
      code: 'FW-CLI-020',
      message: 'the folder holds no .yaml, .yml or .json file',
      where: { file: source },
      hint: 'Name the folder or the file that holds the objects',
    });
  }
  return files.map((file) => ({ file, text: readText(file, file, limits) }));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function readText(from: string | 0, file: string, limits: DocumentLimits): string {
  let bytes: Buffer;
  try {
    if (from !== 0 && statSync(from).size > limits.fileBytes) throw tooLong(file, limits);
    bytes = readFileSync(from);
  } catch (error) {
    if (error instanceof Error && 'exit' in error) throw error;
    throw cannotRead(file, error);
  }
  if (bytes.length > limits.fileBytes) throw tooLong(file, limits);
  return bytes.toString('utf8');
}

function tooLong(file: string, limits: DocumentLimits): Error {
  return tooBig(file, `it is larger than ${limits.fileBytes} bytes`, 'Split it into several files');
}

function tooBig(file: string, message: string, hint: string): Error {
  return usageError({ code: 'FW-CLI-021', message, where: { file }, hint });
}

function cannotRead(file: string, cause: unknown): Error {
  const message = `it cannot be read: ${errorMessage(cause)}`;
  return usageError({ code: 'FW-CLI-020', message, where: { file }, hint: 'Check the path given with -f' }, { cause });
}

/** Pure: text in, objects and findings out. `file` is what the positions name. */
export function readDocuments(text: string, file: string, limits: DocumentLimits = documentLimits): ReadDocuments {
  const lines = new LineCounter();
  const objects: RawObject[] = [];
  const findings: Finding[] = [];
  const at = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    merge: true,
    logLevel: 'silent',
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const document of documents) {
    if (document.errors.length > 0) {
      // One missing bracket makes many errors: the first ones tell.
      const first = document.errors.slice(0, limits.syntaxErrors);
      findings.push(...first.map((error) => syntaxFinding(error.message, at(error.pos[0]))));
    } else if (document.contents !== null && !isEmptyScalar(document.contents)) {
      readObject(document);
    }
  }
  return { objects, findings };

  function readObject(document: Document.Parsed): void {
    const start = at(document.contents?.range?.[0] ?? 0);
    const protoKey = findProtoKey(document.contents);
    if (protoKey !== undefined) {
      findings.push(badObject('the key __proto__ is not allowed', at(protoKey), 'Remove it'));
      return;
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: limits.aliases });
    } catch (error) {
      // Only aliases are left to fail here: too many of them, or one of an anchor that is not there.
      findings.push(badObject(errorMessage(error), start, 'Write the values out instead of using so many aliases'));
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      findings.push(
        badObject('the document is not an object', start, 'Give a mapping with apiVersion, kind, metadata and spec'),
      );
      return;
    }
    const items = listItems(value);
    if (items === undefined) objects.push(rawObject(document, value, []));
    else items.forEach((item, index) => objects.push(rawObject(document, item, ['items', index])));
  }

  function rawObject(document: Document.Parsed, object: unknown, prefix: Path): RawObject {
    return {
      object,
      origin: file,
      where: (path) => at(findOffset(document, [...prefix, ...path])),
    };
  }
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null;
}

/** What `kubectl get -o yaml` writes: a List stands for its items. */
function listItems(value: object): readonly unknown[] | undefined {
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}

/**
 * Where a path stands: a scalar at its value; a mapping or list at the key that names it; a path that is not there at the deepest part of
 * it that is.
 */
function findOffset(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const step of path) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    if (isMap(resolved)) {
      const pair = resolved.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) return offset;
      const keyStart = rangeStart(pair.key) ?? offset;
      offset = isCollection(pair.value) || pair.value === null ? keyStart : (rangeStart(pair.value) ?? keyStart);
      node = pair.value;
    } else if (isSeq(resolved) && typeof step === 'number') {
      node = resolved.items[step];
      offset = rangeStart(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node) ? (node.range?.[0] ?? undefined) : undefined;
}

function findProtoKey(node: unknown): number | undefined {
  const waiting: unknown[] = [node];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (!isCollection(next)) continue;
    for (const item of next.items) {
      if (!isPair(item)) {
        waiting.push(item);
        continue;
      }
      if (isScalar(item.key) && item.key.value === '__proto__') return rangeStart(item.key) ?? 0;
      waiting.push(item.value);
    }
  }
  return undefined;
}

function syntaxFinding(message: string, where: Where): Finding {
  const hint = 'Correct the YAML at this place';
  return { code: 'FW-CLI-022', severity: 'error', message: `not valid YAML: ${message}`, where, hint };
}

function badObject(message: string, where: Where, hint: string): Finding {
  return { code: 'FW-CLI-023', severity: 'error', message, where, hint };
}
