/** Every bound and delay of the xDS server, with the defaults that suit a pilot with thousands of Envoys. */

export interface XdsLimits {
  /** Told to clients as ControlPlane.identifier; empty sends none. */
  readonly identifier: string;
  /** The largest request that is read. */
  readonly maxRequestBytes: number;
  /** Partial responses are cut into several of about this size; a complete set (CDS and LDS over SotW) cannot be. */
  readonly maxResponseBytes: number;
  /** Names that one stream may subscribe to per type. */
  readonly maxNamesPerType: number;
  readonly maxNameLength: number;
  /** Resource types that one aggregated stream may ask for. */
  readonly maxTypesPerStream: number;
  readonly maxStreams: number;
  readonly maxStreamsPerConnection: number;
  /** Encoded responses kept for the next stream in the same state. */
  readonly cacheBytes: number;
  readonly cacheEntries: number;
  /** Lists of names in requests, kept to be recognised. */
  readonly nameListBytes: number;
  /** How long listeners and routes wait for the endpoints of clusters that were just added. */
  readonly warmingWaitMaxMs: number;
  /** How long removed clusters and endpoints stay while a client does not answer for the routes that led to them. */
  readonly removalLingerMs: number;
  /** A stream whose client has not taken a written message for this long is dropped. */
  readonly stuckReaderMs: number;
  /** A stream without a first request for this long is closed. */
  readonly firstRequestMs: number;
  /** Work done before the event loop gets its turn. */
  readonly turnMs: number;
  readonly turnMessages: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const defaultXdsLimits: XdsLimits = {
  identifier: '',
  maxRequestBytes: 4 * 1024 * 1024,
  maxResponseBytes: 3 * 1024 * 1024,
  maxNamesPerType: 100_000,
  maxNameLength: 4096,
  maxTypesPerStream: 64,
  maxStreams: 50_000,
  maxStreamsPerConnection: 64,
  cacheBytes: 32 * 1024 * 1024,
  cacheEntries: 512,
  nameListBytes: 4 * 1024 * 1024,
  warmingWaitMaxMs: 2_000,
  removalLingerMs: 15_000,
  stuckReaderMs: 30_000,
  firstRequestMs: 15_000,
  turnMs: 8,
  turnMessages: 64,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};
