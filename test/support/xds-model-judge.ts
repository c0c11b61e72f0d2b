/**
 * Judges what a server sends to the model of a client: no name twice, one message of a type in flight, and nothing that the client did not
 * need. Kept apart from the machine under test: it is told what goes over the wire, in both directions, and nothing else.
 */

import assert from 'node:assert/strict';
import { typeUrl as types } from '../../src/core/type-urls.ts';
import type { Draft } from '../../src/xds/draft.ts';
import type { XdsRequest } from '../../src/xds/request.ts';
import { impliedWildcard, short, type Transport, wholeSet } from './xds-model-requests.ts';

/** What the server may assume of its client, kept apart from the machine to judge whether a resource had to be sent. */
interface ServerSide {
  readonly sent: Map<string, string>;
  undo: Map<string, string | undefined>;
  readonly asked: Set<string>;
  inFlight: string | undefined;
  refused: boolean;
}

export class SendingJudge {
  readonly #transport: Transport;
  readonly #sides = new Map<string, ServerSide>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The server has read `next`. */
  heard(next: XdsRequest): void {
    const side = this.#side(next.typeUrl);
    const answers = next.nonce !== '' && next.nonce === side.inFlight;
    if (answers) {
      side.inFlight = undefined;
      if (next.error !== undefined) {
        for (const [name, version] of side.undo) {
          if (version === undefined) side.sent.delete(name);
          else side.sent.set(name, version);
        }
        side.refused = true;
      }
    }
    for (const name of next.subscribe) side.asked.add(name);
    for (const name of next.unsubscribe) {
      side.asked.add(name);
      if (name === '*') side.sent.clear();
      else side.sent.delete(name);
    }
    if (this.#transport === 'sotw') this.#noteSotwList(next, side);
  }

  /** The server has written `draft`. */
  sent(draft: Draft, nonce: string): void {
    const side = this.#side(draft.typeUrl);
    assert.equal(side.inFlight, undefined, 'two messages of one type in flight');
    side.inFlight = nonce;
    side.undo = new Map();
    for (const { name, version } of draft.resources) {
      side.undo.set(name, side.sent.get(name));
      side.sent.set(name, version);
      side.asked.delete(name);
    }
    for (const name of draft.removed) {
      side.undo.set(name, side.sent.get(name));
      side.sent.delete(name);
      side.asked.delete(name);
    }
    if (draft.typeUrl === types.cluster) {
      const endpoints = this.#side(types.endpoint);
      for (const { name } of draft.resources) endpoints.asked.add(name);
    }
  }

  /** The server is about to write `draft`. */
  check(draft: Draft): void {
    const side = this.#side(draft.typeUrl);
    const names = [...draft.resources.map((resource) => resource.name), ...draft.removed];
    assert.equal(new Set(names).size, names.length, 'a name twice in one response');
    if (wholeSet(this.#transport, draft.typeUrl)) return;
    for (const { name, version, aliases } of draft.resources) {
      if (side.refused) continue;
      const asked = side.asked.has(name) || (aliases?.some((alias) => side.asked.has(alias)) ?? false);
      assert(asked || side.sent.get(name) !== version, `${short(draft.typeUrl)} ${name} was sent without need`);
    }
  }

  #noteSotwList(next: XdsRequest, side: ServerSide): void {
    const wanted = new Set(next.subscribe);
    if (wanted.has('*') || (wanted.size === 0 && impliedWildcard(next.typeUrl))) return;
    for (const name of side.sent.keys()) if (!wanted.has(name)) side.sent.delete(name);
  }

  #side(typeUrl: string): ServerSide {
    let side = this.#sides.get(typeUrl);
    if (side === undefined) {
      side = { sent: new Map(), undo: new Map(), asked: new Set(), inFlight: undefined, refused: false };
      this.#sides.set(typeUrl, side);
    }
    return side;
  }
}
