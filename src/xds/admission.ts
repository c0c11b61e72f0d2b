/**
 * What a stream may ask for. In: requests as they were decoded. Out: the type that a request is about, the client that its first request
 * shows, or an error in the client's terms, which ends the stream.
 */

import { errorMessage, FairwayError } from '../core/errors.ts';
import type { XdsLimits } from './limits.ts';
import { isLenient, withinLimits } from './passed-over.ts';
import type { XdsRequest } from './request.ts';
import type { ResourceMethod } from './services.ts';
import type { StreamMachine } from './stream-machine.ts';
import type { ClientHello, ResourceView, XdsHost } from './view.ts';

/** The client of a stream, and what its host lets it see. Throws FW-XDS-001 (no node), FW-XDS-002 (the host refuses it). */
export function greet(
  request: XdsRequest,
  stream: Pick<ClientHello, 'streamId' | 'peer'> & { readonly method: ResourceMethod },
  host: XdsHost,
): { readonly hello: ClientHello; readonly view: ResourceView } {
  const { streamId, peer, method } = stream;
  const { node } = request;
  if (node === undefined) {
    throw new FairwayError({
      code: 'FW-XDS-001',
      message: 'the first request of a stream has no node',
      where: {},
      hint: 'give the client a node id (Envoy: `node` in its bootstrap, or --service-node); later requests may leave it out',
    });
  }
  const onlyType = method.onlyType === undefined ? {} : { onlyType: method.onlyType };
  const hello: ClientHello = { streamId, node, peer, transport: method.transport, ...onlyType };
  const view = host.connect(hello);
  if (typeof view !== 'string') return { hello, view };
  throw new FairwayError({
    code: 'FW-XDS-002',
    message: `the client ${node.id === '' ? 'without a node id' : node.id} is refused: ${view}`,
    where: {},
    hint: 'change the node in its bootstrap',
  });
}

/** The type that `request` is about. Throws FW-XDS-003 (none is said), FW-XDS-006 (not the type of the service). */
export function requestedType(request: XdsRequest, method: ResourceMethod): string {
  const { onlyType } = method;
  if (onlyType === undefined) {
    if (request.typeUrl !== '') return request.typeUrl;
    throw new FairwayError({
      code: 'FW-XDS-003',
      message: 'a request on an aggregated stream has no type_url',
      where: {},
      hint: 'set type_url in each request, or use the service of one type',
    });
  }
  if (request.typeUrl === '' || request.typeUrl === onlyType) return onlyType;
  throw new FairwayError({
    code: 'FW-XDS-006',
    message: `the service ${method.path} serves ${onlyType}, not ${request.typeUrl}`,
    where: {},
    hint: 'ask the aggregated service (ADS) for several types',
  });
}

/** What is taken of `request`. Throws FW-XDS-005 where it would take the stream beyond its limits. */
export function admit(
  request: XdsRequest,
  machine: StreamMachine,
  transport: 'sotw' | 'delta',
  limits: XdsLimits,
): XdsRequest {
  if (!machine.knows(request.typeUrl) && machine.typeCount >= limits.maxTypesPerStream)
    throw beyond(`more than ${limits.maxTypesPerStream} types`);
  const asked = machine.askedOf(request.typeUrl);
  if (isLenient(transport, request.typeUrl)) return withinLimits(request, asked, limits);
  const names = transport === 'delta' ? asked.names.size : 0;
  if (names + request.subscribe.length > limits.maxNamesPerType)
    throw beyond(`more than ${limits.maxNamesPerType} names of ${request.typeUrl}`);
  return request;
}

/** What was thrown while a request was handled, as an error that may be told to the client. */
export function asFault(error: unknown): FairwayError {
  if (error instanceof FairwayError) return error;
  return new FairwayError(
    {
      code: 'FW-XDS-014',
      message: `the request could not be handled: ${errorMessage(error)}`,
      where: {},
      hint: 'this is a fault of the server; report it with its log',
    },
    { cause: error },
  );
}

function beyond(what: string): FairwayError {
  return new FairwayError({
    code: 'FW-XDS-005',
    message: `the stream asks for ${what}`,
    where: {},
    hint: 'ask for fewer resources on this stream',
  });
}
