/**
 * What is said of Istio's objects while they are translated. In: notes, as they come up, more than once where an object is a part of several
 * rules. Out: findings, each once, by object, in the order in which they stand in the file.
 *
 * An error means that something is not translated: the object, or its part for one host. A warning means that it is, and differs in what is told.
 */

import type { Finding } from '../core/errors.ts';
import { formatPath } from '../rules/objects/findings.ts';
import { type IstioCode, istioCodes } from './codes.ts';
import type { IstioObject, Part } from './parts.ts';

/** Of one object; more are counted. */
const maxNotes = 200;

export class Notes {
  readonly #byObject = new Map<string, Map<string, Finding>>();
  #errors = 0;

  /** So many errors were noted, those that were said before among them: whoever translates can see whether one came up. */
  get errors(): number {
    return this.#errors;
  }

  error(code: IstioCode, part: Part, message: string, hint: string = istioCodes[code].cure): void {
    this.#errors += 1;
    this.#add('error', code, part, message, hint);
  }

  warn(code: IstioCode, part: Part, message: string, hint: string = istioCodes[code].cure): void {
    this.#add('warning', code, part, message, hint);
  }

  /** One that is made already, by a parser of rules for instance. */
  take(object: IstioObject, finding: Finding): void {
    if (finding.severity === 'error') this.#errors += 1;
    this.#put(object, finding);
  }

  of(object: IstioObject): readonly Finding[] {
    const found = [...(this.#byObject.get(object.key)?.values() ?? [])];
    return found.sort(
      (a, b) => (a.where.line ?? 0) - (b.where.line ?? 0) || (a.where.column ?? 0) - (b.where.column ?? 0),
    );
  }

  #add(severity: Finding['severity'], code: IstioCode, part: Part, said: string, hint: string): void {
    const { object, path } = part;
    const field = formatPath(path);
    const last = path.findLast((step) => typeof step === 'string') ?? 'spec';
    const message =
      said.startsWith('must ') || said.startsWith('is ') || said.startsWith('has ') ? `${last} ${said}` : said;
    const where = { ...object.where(path, code === 'FW-ISTIO-001' ? 'key' : 'value'), object: nameOf(object), field };
    this.#put(object, { code, severity, message, where, hint });
  }

  #put(object: IstioObject, finding: Finding): void {
    let found = this.#byObject.get(object.key);
    if (found === undefined) {
      found = new Map();
      this.#byObject.set(object.key, found);
    }
    const id = `${finding.code} ${finding.where.field ?? ''} ${finding.message}`;
    if (found.has(id) || (found.size >= maxNotes && finding.severity === 'warning')) return;
    found.set(id, finding);
  }
}

/** `VirtualService shop/reviews` */
export function nameOf({ kind, namespace, name }: Pick<IstioObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}
