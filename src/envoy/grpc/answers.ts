/**
 * What proxyless gRPC clients get that ask for something which is not there: for a target a listener that leads nowhere, so that calls fail at
 * once; for an Envoy cluster or an assignment one without endpoints. Told nothing, a client waits for 15 s, and with it all calls to the
 * target. A route table is asked for only where a listener names it.
 */

import type { EncodedResource } from '../../core/resource.ts';
import { typeUrl } from '../../core/type-urls.ts';
import { noCluster } from './clusters.ts';
import { noEndpoints } from './endpoints.ts';
import { noListener } from './listeners.ts';
import { hostOfName } from './names.ts';

const answers: ReadonlyMap<string, (name: string) => EncodedResource> = new Map([
  [typeUrl.listener, noListener],
  [typeUrl.cluster, noCluster],
  [typeUrl.endpoint, noEndpoints],
]);

/** Answers kept; asked for again after that, they are made anew. */
const keptMax = 1024;

export class GrpcAnswers {
  readonly #kept = new Map<string, EncodedResource>();

  missing(url: string, name: string): EncodedResource | undefined {
    const make = answers.get(url);
    if (make === undefined) return undefined;
    const id = `${url} ${name}`;
    const known = this.#kept.get(id);
    if (known !== undefined) return known;
    if (hostOfName(url, name) === '') return undefined;
    const answer = make(name);
    if (this.#kept.size >= keptMax) this.#kept.clear();
    this.#kept.set(id, answer);
    return answer;
  }
}
