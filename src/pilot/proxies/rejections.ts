/**
 * What follows a NACK. In: the refused message; out: the rules and ExternalServices that may be behind it are set aside for that proxy, which goes on with earlier
 * forms of them, and the culprit among several is looked for step by step (quarantine.ts).
 */

import type { Logger } from '../../core/logger.ts';
import type { MeshState } from '../../mesh/mesh-state.ts';
import type { ExternalService } from '../../model/external.ts';
import { ruleId, type TrafficRule } from '../../model/rule.ts';
import { splitServiceKey } from '../../model/service.ts';
import type { ProgressEvent, StreamTypeStatus } from '../../xds/view.ts';
import { type ExternalHistory, externalForm } from '../external-history.ts';
import type { ScopeView } from '../scope/view.ts';
import { type Proxies, type Proxy, ruleForm } from './proxies.ts';

export interface RejectionInputs {
  readonly proxies: Proxies;
  /** Default: there are no hosts outside. */
  readonly externals?: Pick<ExternalHistory, 'changes'>;
  readonly mesh: Pick<MeshState, 'ruleChanges' | 'ruleWithout'>;
  readonly status: (streamId: number) => ReadonlyMap<string, StreamTypeStatus>;
  readonly logger: Logger;
}

interface Suspect {
  readonly form: string;
  /** For people. */
  readonly name: string;
  /** Words by which a proxy would name it. */
  readonly known: readonly string[];
}

function ruleSuspect(rule: TrafficRule): Suspect {
  const { namespace, name } = splitServiceKey(rule.service);
  return { form: ruleForm(rule), name: ruleId(rule.ref), known: [`${name}.${namespace}.`] };
}

function externalSuspect(external: ExternalService): Suspect {
  const { ref, hosts } = external;
  return { form: externalForm(external), name: `ExternalService ${ref.namespace}/${ref.name}`, known: hosts };
}

export class Rejections {
  readonly #inputs: RejectionInputs;

  constructor(inputs: RejectionInputs) {
    this.#inputs = inputs;
  }

  /** The rules behind a refused message are set aside for this proxy; it goes on with an earlier form of them. */
  rejected(proxy: Proxy, event: ProgressEvent): void {
    const { proxies, status, logger } = this.#inputs;
    const words = event.error ?? '';
    const acked = status(event.streamId).get(event.typeUrl)?.ackedRevision ?? 0;
    const suspects = this.#suspects(acked, event.revision, words, proxy.view);
    logger.warn('a proxy rejected a message', {
      node: proxy.identity.nodeId,
      type_url: event.typeUrl,
      err: words,
      rules: suspects.map(({ name }) => name),
    });
    if (suspects.length > 0 || proxy.quarantine.isSearching) {
      const forms = suspects.map(({ form }) => form);
      proxies.reject(proxy, event.typeUrl, forms, words);
    }
  }

  /** The next step of every search among these proxies, at those that are in step with the last one. */
  search(among: Iterable<Proxy>): void {
    const { proxies, status } = this.#inputs;
    const searching = [...among].filter(({ quarantine }) => quarantine.isSearching);
    proxies.advance(searching, ({ streams }, typeUrl) =>
      [...streams].every((streamId) => (status(streamId).get(typeUrl)?.state ?? 'synced') === 'synced'),
    );
  }

  /** What came into force between what the proxy held and what it refused; of that what its words name, if they name any. */
  #suspects(acked: number, refused: number, words: string, view: ScopeView): Suspect[] {
    const aside = new Set(view.scope.rejected);
    const { cluster } = view.scope;
    const { mesh, externals } = this.#inputs;
    const rules = mesh
      .ruleChanges(acked, refused, cluster)
      .flatMap((key) => mesh.ruleWithout(key, (rule) => aside.has(ruleForm(rule)), cluster) ?? []);
    const outside = externals?.changes(acked, refused, (form) => aside.has(form)) ?? [];
    const changed = [...rules.map(ruleSuspect), ...outside.map(externalSuspect)];
    const named = changed.filter(({ known }) => known.some((word) => words.includes(word)));
    return named.length > 0 ? named : changed;
  }
}
