/**
 * How much may be begun in one go. In: how long the event loop was away between two slices of work. Out: bytes, and a share for what is not counted
 * in bytes.
 *
 * What a slice hands to sockets is written after it, by HTTP/2 and the kernel, and what clients take of it makes more of the same; connections that
 * were taken in send their first requests. None of that is in the time that a slice measures, and a thousand clients at once would hold the loop with
 * it. So a slice becomes smaller at once when the loop comes back late, and larger by and by when it does not. Where the clients are slow and
 * not this process, the loop comes back soon, and nobody waits for anybody.
 */

export interface PaceOptions {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The loop that stays away for longer has too much to do. */
  readonly lateMs: number;
}

/** Down by half, up by half: it takes about a dozen slices from the least to the most. */
const down = 0.5;
const up = 1.5;

export class Pace {
  readonly #options: PaceOptions;
  #bytes: number;

  /** Begins with the least: a process that has just started is slow. */
  constructor(options: PaceOptions) {
    this.#options = options;
    this.#bytes = options.minBytes;
  }

  /** The loop was away for `awayMs` since the last slice. */
  cameBack(awayMs: number): void {
    const { minBytes, maxBytes, lateMs } = this.#options;
    this.#bytes = awayMs > lateMs ? Math.max(minBytes, this.#bytes * down) : Math.min(maxBytes, this.#bytes * up);
  }

  /** What one slice may hand to sockets; the message that goes above it is its last. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of what could be begun in one go; above 0, at most 1. */
  get share(): number {
    return this.#bytes / this.#options.maxBytes;
  }
}
