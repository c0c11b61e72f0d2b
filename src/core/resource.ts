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
   * changed so that it fetches them and sends nothing there. `resumed`: for a client that came back, of whose table nobody knows but which
   * assignments it holds (`held`): this table, leading there where it would lead to one that is missing, and having those fetched; undefined
   * where none of what it holds could stand in. For clients that name their clusters one by one.
   */
  readonly announce?: {
    readonly names: readonly string[];
    readonly before: (held: EncodedResource, missing: readonly string[]) => EncodedResource;
    readonly resumed?: (held: ReadonlySet<string>, missing: readonly string[]) => EncodedResource | undefined;
  };
  /** Clients that declare support drop it this long after the server fell silent; heartbeats keep it alive. */
  readonly ttlMs?: number;
}
