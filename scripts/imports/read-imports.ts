/**
 * One source file in, what it imports out: the specifier, the line, and whether it is a type, a value, or loaded lazily. Parsed, not searched:
 * an import in a comment or a string is none, and `import('./x.ts').T` in a type is one.
 */

import { parseSync } from 'oxc-parser';

export interface Import {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  readonly kind: 'value' | 'type' | 'lazy';
}

/** Throws when the file does not parse: a file that cannot be read cannot be said to obey. */
export function readImports(fileName: string, source: string): readonly Import[] {
  const parsed = parseSync(fileName, source);
  const failure = parsed.errors[0];
  if (failure !== undefined) throw new Error(`${fileName} does not parse: ${failure.message}`);
  const found: Import[] = [];
  walk(parsed.program, (node) => {
    const target = importTarget(node);
    if (target !== undefined) found.push({ ...target, line: lineAt(source, node.start) });
  });
  return found;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
    return;
  }
  if (!isNode(value)) return;
  visit(value);
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) walk(child, visit);
}

function importTarget(node: Node): { readonly specifier: string; readonly kind: Import['kind'] } | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return named(
        node.source,
        node.importKind === 'type' || onlyTypes(node.specifiers, 'importKind') ? 'type' : 'value',
      );
    case 'ExportNamedDeclaration':
      return named(
        node.source,
        node.exportKind === 'type' || onlyTypes(node.specifiers, 'exportKind') ? 'type' : 'value',
      );
    case 'ExportAllDeclaration':
      return named(node.source, node.exportKind === 'type' ? 'type' : 'value');
    case 'ImportExpression':
      return named(node.source, 'lazy');
    case 'TSImportType':
      return named(node.source ?? node.argument, 'type');
    default:
      return undefined;
  }
}

/** `import { type A, type B }` brings types alone; `import {}` and `import 'x'` run the module. */
function onlyTypes(specifiers: unknown, field: 'importKind' | 'exportKind'): boolean {
  return Array.isArray(specifiers) && specifiers.length > 0 && specifiers.every((item: Node) => item[field] === 'type');
}

/** A specifier that is not a plain string (`import(name)`) can go anywhere, and is reported as such. */
function named(
  source: unknown,
  kind: Import['kind'],
): { readonly specifier: string; readonly kind: Import['kind'] } | undefined {
  if (source === null || source === undefined) return undefined;
  const value = isNode(source) && source.type === 'Literal' ? source.value : undefined;
  return { specifier: typeof value === 'string' ? value : '<computed>', kind };
}

function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line++;
  return line;
}
