/**
 * Writes deploy/crds from the schemas in src/rules; with `--check` writes nothing, and fails when a file is not what would be written.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownKinds } from '../src/rules/kinds.ts';
import { crdFile, crdYaml } from '../src/rules/objects/crd.ts';

const root = join(import.meta.dirname, '..');
const files: ReadonlyMap<string, string> = new Map(ownKinds.rows.map((kind) => [crdFile(kind), crdYaml(kind)]));
const isCheck = process.argv.includes('--check');

for (const [file, text] of files) {
  const path = join(root, file);
  if (!isCheck) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`${file}: written\n`);
  } else if (readIfThere(path) !== text) {
    process.stderr.write(`${file} is not what the schemas in src/rules say: run \`node scripts/generate-crds.ts\`\n`);
    process.exitCode = 1;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
