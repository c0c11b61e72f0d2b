/**
 * One source file in, the coded errors that it can make out: code, what it says, what to do. Read from the syntax tree, so that the list
 * cannot forget one. Found are tables (`'FW-X-001': { title, cure }`), objects (`{ code, message, hint }`, or `what` for a message that goes on), calls (`f('FW-X-001', message, hint)`,
 * other arguments in between or not), log lines (`warn(message, { code: 'FW-X-001', hint })`), and calls of helpers that take the words as
 * parameters, or the code's number too (`badNode(2, message, hint)` where badNode writes `FW-NODE-00${number}`).
 */

import { parseSync } from 'oxc-parser';

export interface CodeUse {
  readonly code: string;
  /** '' where the code stands without words, as in a type or a comparison. What is filled in at run time is `…`. */
  readonly message: string;
  readonly hint: string;
  /** From a table: its words are the ones to print. */
  readonly listed: boolean;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const codePattern = /^FW-[A-Z]+-\d+$/;

export function readCodes(fileName: string, source: string): readonly CodeUse[] {
  const parsed = parseSync(fileName, source);
  const failure = parsed.errors[0];
  if (failure !== undefined) throw new Error(`${fileName} does not parse: ${failure.message}`);
  const uses: CodeUse[] = [];
  nameConstants(parsed.program);
  const helpers = findHelpers(parsed.program);
  walk(parsed.program, [], (node, parents) => {
    const use = codeIn(node, parents) ?? helperCall(node, helpers);
    if (use !== undefined) uses.push(use);
  });
  return uses;
}

function codeIn(node: Node, parents: readonly Node[]): CodeUse | undefined {
  if (node.type !== 'Literal' || typeof node['value'] !== 'string' || !codePattern.test(node['value']))
    return undefined;
  const code = node['value'];
  for (const [depth, parent] of [...parents].reverse().slice(0, 4).entries()) {
    const use = wordsBeside(code, node, parent, depth);
    if (use !== undefined) return use;
  }
  return { code, message: '', hint: '', listed: false };
}

function wordsBeside(code: string, node: Node, parent: Node, depth: number): CodeUse | undefined {
  if (parent.type === 'Property' && depth === 0 && parent['key'] === node && isNode(parent['value'])) {
    const entry = parent['value'];
    const title = field(entry, 'title');
    return title === undefined ? undefined : { code, message: title, hint: field(entry, 'cure') ?? '', listed: true };
  }
  if (parent.type === 'ObjectExpression') {
    const message = field(parent, 'message') ?? field(parent, 'what');
    return message === undefined ? undefined : { code, message, hint: field(parent, 'hint') ?? '', listed: false };
  }
  if (parent.type === 'CallExpression' || parent.type === 'NewExpression') {
    const args = list(parent['arguments']);
    const words = args
      .slice(args.indexOf(node) + 1)
      .map(text)
      .filter((word): word is string => word !== undefined && word.includes(' '));
    if (words[0] === undefined) return undefined;
    return { code, message: words[0], hint: words[1] ?? hintBeside(node, args) ?? '', listed: false };
  }
  return undefined;
}

/** As a log line has it: `logger.warn(message, { code, hint })`. */
function hintBeside(code: Node, args: readonly Node[]): string | undefined {
  const fields = args.find((arg) => arg.type === 'ObjectExpression' && propertyOf(arg, 'code')?.['value'] === code);
  return fields === undefined ? undefined : field(fields, 'hint');
}

/** A function that makes the error: its code (or what stands before the number), and which parameters are what; -1 for none. */
interface Helper {
  readonly code: string;
  readonly number: number;
  readonly message: number;
  readonly hint: number;
}

function findHelpers(program: unknown): ReadonlyMap<string, Helper> {
  const helpers = new Map<string, Helper>();
  walk(program, [], (node, parents) => {
    const code = node.type === 'TemplateLiteral' ? quasi(list(node['quasis'])[0]) : node['value'];
    if (typeof code !== 'string' || !/^FW-[A-Z]+-\d*$/.test(code)) return;
    const { id, home } = namedFunction(parents);
    if (home === undefined || !isNode(id)) return;
    const names = list(home['params']).map((parameter) => String(parameter['name']));
    const object = parents.findLast((parent) => parent.type === 'ObjectExpression');
    const parameterOf = (name: string): number =>
      object !== undefined && takesWord(object, name) ? names.indexOf(name) : -1;
    const helper = {
      code,
      number: node.type === 'TemplateLiteral' ? 0 : -1,
      message: parameterOf('message'),
      hint: parameterOf('hint'),
    };
    if (helper.message !== -1 || helper.hint !== -1) helpers.set(String(id['name']), helper);
  });
  return helpers;
}

/** The innermost that has a name: `function name() {}`, or `const name = () => {}`. */
function namedFunction(parents: readonly Node[]): { readonly id?: unknown; readonly home?: Node } {
  for (const [back, home] of [...parents].reverse().entries()) {
    if (home.type === 'FunctionDeclaration') return { id: home['id'], home };
    const around = parents[parents.length - 2 - back];
    if (home.type === 'ArrowFunctionExpression' && around?.type === 'VariableDeclarator')
      return { id: around['id'], home };
  }
  return {};
}

/** Where a word is a constant of this file (`hint: diskHint`), the constant's text is put in its place. */
function nameConstants(program: unknown): void {
  const constants = new Map<string, Node>();
  walk(program, [], (node, parents) => {
    const isOfFile = parents.length <= 3 && node.type === 'VariableDeclarator' && isNode(node['id']);
    if (isOfFile && isNode(node['init']) && /^(Literal|TemplateLiteral|BinaryExpression)$/.test(node['init'].type))
      constants.set(String((node['id'] as Node)['name']), node['init']);
  });
  const constant = (value: unknown): Node | undefined =>
    isNode(value) && value.type === 'Identifier' ? constants.get(String(value['name'])) : undefined;
  walk(program, [], (node) => {
    const mutable = node as { value?: unknown; arguments?: unknown };
    if (node.type === 'Property') mutable.value = constant(node['value']) ?? node['value'];
    if (node.type === 'CallExpression') mutable.arguments = list(node['arguments']).map((arg) => constant(arg) ?? arg);
  });
}

/** `{ message }` or `{ message: message }`. */
function takesWord(object: Node, name: string): boolean {
  const value = propertyOf(object, name)?.['value'];
  return isNode(value) && value.type === 'Identifier' && value['name'] === name;
}

function helperCall(node: Node, helpers: ReadonlyMap<string, Helper>): CodeUse | undefined {
  if (node.type !== 'CallExpression' || !isNode(node['callee'])) return undefined;
  const helper = helpers.get(String(node['callee']['name']));
  if (helper === undefined) return undefined;
  const args = list(node['arguments']);
  const number = helper.number === -1 ? '' : args[helper.number]?.['value'];
  if (number === undefined) return undefined;
  return {
    code: `${helper.code}${String(number)}`,
    message: text(args[helper.message]) ?? '',
    hint: text(args[helper.hint]) ?? '',
    listed: false,
  };
}

function field(object: Node, name: string): string | undefined {
  return text(propertyOf(object, name)?.['value']);
}

function propertyOf(object: Node, name: string): Node | undefined {
  return list(object['properties']).find(
    (item) => isNode(item['key']) && (item['key']['name'] ?? item['key']['value']) === name,
  );
}

/** A string, or a template with `…` for what is filled in; undefined for anything else. */
function text(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  switch (value.type) {
    case 'Literal':
      return typeof value['value'] === 'string' ? value['value'] : undefined;
    case 'TemplateLiteral':
      return list(value['quasis']).map(quasi).join('…');
    case 'BinaryExpression': {
      const [left, right] = [text(value['left']), text(value['right'])];
      return left === undefined && right === undefined ? undefined : `${left ?? '…'}${right ?? '…'}`;
    }
    case 'ConditionalExpression':
      return (
        [text(value['consequent']), text(value['alternate'])].filter((word) => word !== undefined).join(' / ') ||
        undefined
      );
    case 'LogicalExpression':
      return text(value['right']);
    case 'Identifier':
    case 'CallExpression':
    case 'MemberExpression':
      return '…';
    default:
      return undefined;
  }
}

function quasi(node: Node | undefined): string {
  const value = node?.['value'] as { readonly cooked?: string } | undefined;
  return value?.cooked ?? '';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function list(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function walk(value: unknown, parents: readonly Node[], visit: (node: Node, parents: readonly Node[]) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, parents, visit);
    return;
  }
  if (!isNode(value)) return;
  visit(value, parents);
  const below = [...parents, value];
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) walk(child, below, visit);
}
