/**
 * What proxyless gRPC clients get that ask for an Envoy cluster or an assignment which is not there: one without endpoints. Told nothing, a
 * client waits for 15 s, and with it all calls to the target, though they go elsewhere. A listener or a route table that is not there is left
 * unsaid: the client finds out by itself, and calls to other targets are not concerned.
 */

import type { EncodedResource } from '../core/resource.ts';
import { typeUrl } from '../core/type-urls.ts';
import { noCluster } from './grpc-clusters.ts';
import { noEndpoints } from './grpc-endpoints.ts';
import { hostOfName } from './grpc-names.ts';

/** Answers kept; asked for again after that, they are made anew. */
const keptMax = 1024;

export class GrpcAnswers {
  readonly #kept = new Map<string, EncodedResource>();

  missing(url: string, name: string): EncodedResource | undefined {
    if (url !== typeUrl.cluster && url !== typeUrl.endpoint) return undefined;
    const id = `${url} ${name}`;
    const known = this.#kept.get(id);
    if (known !== undefined) return known;
    if (hostOfName(url, name) === '') return undefined;
    const answer = url === typeUrl.cluster ? noCluster(name) : noEndpoints(name);
    if (this.#kept.size >= keptMax) this.#kept.clear();
    this.#kept.set(id, answer);
    return answer;
  }
}
