/** `NAMESPACE/NAME` as people write it; a name alone is in the namespace of -n, or is looked for. */

import { failed, usageError } from './failure.ts';

export interface QualifiedName {
  readonly namespace: string;
  readonly name: string;
}

/** `find`: all that have the name. @throws CommandFailure FW-CLI-034, FW-CLI-035, FW-CLI-036 */
export async function readQualifiedName(
  text: string,
  flag: string | undefined,
  find: (name: string) => Promise<readonly QualifiedName[]>,
): Promise<QualifiedName> {
  const [first = '', second, ...rest] = text.split('/');
  // In a path of the admin API, dots alone would lead elsewhere.
  if (rest.length > 0 || first === '' || second === '' || [first, second].some((part) => /^\.+$/.test(part ?? ''))) {
    throw usageError({
      code: 'FW-CLI-034',
      message: `${JSON.stringify(text)} is no name`,
      hint: 'Give NAMESPACE/NAME, or NAME with --namespace',
    });
  }
  if (second !== undefined) {
    if (flag === undefined || flag === first) return { namespace: first, name: second };
    throw usageError({
      code: 'FW-CLI-035',
      message: `${text} is in namespace ${first}, and --namespace says ${flag}`,
      hint: 'Leave out one of them',
    });
  }
  if (flag !== undefined) return { namespace: flag, name: first };
  const [found, ...others] = await find(first);
  if (found !== undefined && others.length === 0) return { namespace: found.namespace, name: found.name };
  const namespaces = [found, ...others].flatMap((one) => one?.namespace ?? []).slice(0, 10);
  throw failed({
    code: 'FW-CLI-036',
    message: found === undefined ? `nothing called ${first} is known` : `several namespaces have ${first}`,
    hint: found === undefined ? 'Give NAMESPACE/NAME' : `Say which is meant with -n: ${namespaces.join(', ')}`,
  });
}
