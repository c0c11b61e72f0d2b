/** Every bound and delay of the xDS server, with the defaults that suit a pilot with thousands of Envoys. */

export interface XdsLimits {
  /** Told to clients as ControlPlane.identifier; empty sends none. */
  readonly identifier: string;
  /** The largest request that is read. A client that comes back says in one what it asks for and what it holds: twice `maxNamesPerType`. */
  readonly maxRequestBytes: number;
  /** Of requests that wait for their stream's turn: beyond it no more are read. */
  readonly maxInboxBytes: number;
  /** Partial responses are cut into several of about this size; a complete set (CDS and LDS over SotW) cannot be. */
  readonly maxResponseBytes: number;
  /** Names that one stream may subscribe to per type. Virtual hosts over delta: that there are not; those beyond it are passed over. */
  readonly maxNamesPerType: number;
  readonly maxNameLength: number;
  /** Resource types that one aggregated stream may ask for. */
  readonly maxTypesPerStream: number;
  readonly maxStreams: number;
  readonly maxStreamsPerConnection: number;
  /** The largest answer of the client status service. */
  readonly maxStatusBytes: number;
  /** Requests of the client status service that may wait for their answers. */
  readonly maxStatusCalls: number;
  /** Encoded responses kept for the next stream in the same state. */
  readonly cacheBytes: number;
  readonly cacheEntries: number;
  /** Lists of names in requests, kept to be recognised. */
  readonly nameListBytes: number;
  /** How long listeners and routes wait for the endpoints of clusters that were just added. */
  readonly warmingWaitMaxMs: number;
  /** How long removed clusters and endpoints stay while a client does not answer for the routes that led to them. */
  readonly removalLingerMs: number;
  /** How long they stay once it has answered, for requests that it had routed before and that still wait. */
  readonly removalGraceMs: number;
  /** A stream whose client has taken next to nothing of a message for this long is dropped. */
  readonly stuckReaderMs: number;
  /** A stream without a first request for this long is closed. */
  readonly firstRequestMs: number;
  /** Work done before the event loop gets its turn. */
  readonly turnMs: number;
  readonly turnMessages: number;
  /** Handed to sockets before the event loop gets its turn: the less, the longer it was away. */
  readonly turnBytesMin: number;
  readonly turnBytesMax: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const defaultXdsLimits: XdsLimits = {
  identifier: '',
  maxRequestBytes: 64 * 1024 * 1024,
  maxInboxBytes: 4 * 1024 * 1024,
  maxResponseBytes: 3 * 1024 * 1024,
  maxNamesPerType: 100_000,
  maxNameLength: 4096,
  maxTypesPerStream: 64,
  maxStreams: 50_000,
  maxStreamsPerConnection: 64,
  maxStatusBytes: 32 * 1024 * 1024,
  maxStatusCalls: 64,
  cacheBytes: 32 * 1024 * 1024,
  cacheEntries: 512,
  nameListBytes: 4 * 1024 * 1024,
  warmingWaitMaxMs: 2_000,
  removalLingerMs: 15_000,
  removalGraceMs: 5_000,
  stuckReaderMs: 30_000,
  firstRequestMs: 15_000,
  turnMs: 8,
  turnMessages: 64,
  turnBytesMin: 512 * 1024,
  turnBytesMax: 8 * 1024 * 1024,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};
