/** Which object a person means by a kind and a name. */

import type { AnyKind } from '../rules/objects/kind-types.ts';
import { usageError } from './failure.ts';
import { readObjectKind } from './kind-names.ts';
import { defaultNamespace } from './manifests.ts';
import type { ObjectRef } from './rule-store.ts';

export interface NamedObject {
  readonly kind: AnyKind;
  readonly ref: ObjectRef;
  /** `rule shop/reviews` */
  readonly words: string;
}

/** `name`: NAME or NAMESPACE/NAME. @throws CommandFailure FW-CLI-042 when it and --namespace say two things. */
export function readObjectName(kindText: string, name: string, namespace: string | undefined): NamedObject {
  const kind = readObjectKind(kindText);
  const slash = name.indexOf('/');
  const own = slash === -1 ? undefined : name.slice(0, slash);
  if (own !== undefined && namespace !== undefined && own !== namespace) {
    throw usageError({
      code: 'FW-CLI-042',
      message: `${name} names a namespace other than --namespace ${namespace}`,
      hint: 'Give one of them',
    });
  }
  const space = kind.namespaced ? (own ?? namespace ?? defaultNamespace) : '';
  const ref = { kind: kind.kind, namespace: space, name: name.slice(slash + 1) };
  const word = kind.kind === 'TrafficRule' ? 'rule' : kind.kind;
  return { kind, ref, words: `${word} ${space === '' ? '' : `${space}/`}${ref.name}` };
}
