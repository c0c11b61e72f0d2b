/**
 * What `-f` names: files, folders and stdin in; their objects, each knowing its line and column, and what is wrong with the text, out.
 *
 * What always holds: nothing is dropped silently (a path is read or refused, a document is an object, empty, or a finding); size and number
 * are bounded here, all else in `manifest`.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, type Finding } from '../core/errors.ts';
import { readYaml } from '../manifest/yaml-documents.ts';
import type { RawObject } from '../model/object.ts';
import { usageError } from './failure.ts';

export interface DocumentLimits {
  readonly fileBytes: number;
  readonly objects: number;
  readonly files: number;
}

export const documentLimits: DocumentLimits = { fileBytes: 1024 * 1024, objects: 1000, files: 500 };

export interface ReadDocuments {
  readonly objects: readonly RawObject[];
  readonly findings: readonly Finding[];
}

/**
 * Reads every `-f`: a file, a folder (its .yaml, .yml and .json files, not deeper), or `-` for stdin.
 * @throws CommandFailure FW-CLI-020 for a path that cannot be read, FW-CLI-021 for one that is too big.
 */
export function readSources(sources: readonly string[], limits: DocumentLimits = documentLimits): ReadDocuments {
  const objects: RawObject[] = [];
  const findings: Finding[] = [];
  for (const { file, text } of sources.flatMap((source) => readTexts(source, limits))) {
    // Also beside a document that does not parse: so that all that is wrong is told at once.
    const read = readYaml(text, file);
    objects.push(...read.sound);
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
