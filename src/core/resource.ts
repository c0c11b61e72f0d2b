/**
 * A resource ready to be sent: what the generators (src/envoy) make and the protocol (src/xds) carries, without either knowing the other.
 */

export interface EncodedResource {
  readonly name: string;
  /** A hash of `body`: equal bytes, equal version. */
  readonly version: string;
  /** An encoded google.protobuf.Any, shared by every stream that sends it. Never written to. */
  readonly body: Buffer;
  /** Other names under which a client may ask for it (virtual hosts over VHDS: `<route config>/<host>`). */
  readonly aliases?: readonly string[];
  /**
   * A route table that is not to be used before the client holds these endpoint assignments. `before`: what the client holds of the table now,
   * changed so that it fetches them and sends nothing there. For clients that name their clusters one by one.
   */
  readonly announce?: {
    readonly names: readonly string[];
    readonly before: (held: EncodedResource, missing: readonly string[]) => EncodedResource;
  };
  /** Clients that declare support drop it this long after the server fell silent; heartbeats keep it alive. */
  readonly ttlMs?: number;
}
