/**
 * Protobuf written from its end to its beginning: when a message's length is needed, the message is there already, so nothing is measured
 * first and nothing moved. For the few messages that stand thousands of times in one resource; everything else goes through encode.ts.
 *
 * What comes last in the bytes is written first: a caller writes the fields in the falling order of their numbers.
 * https://protobuf.dev/programming-guides/encoding/
 */

export class BackwardWriter {
  #bytes = Buffer.allocUnsafeSlow(4096);
  /** Where the first byte written stands. */
  #start = this.#bytes.length;

  /** How many bytes there are: a mark for `message`. */
  get size(): number {
    return this.#bytes.length - this.#start;
  }

  /** Begins anew. */
  clear(): void {
    this.#start = this.#bytes.length;
  }

  /** All that was written, as bytes of its own. */
  finish(): Buffer {
    const own = Buffer.allocUnsafeSlow(this.size);
    this.#bytes.copy(own, 0, this.#start);
    return own;
  }

  /** Makes what was written since `mark` a field of this number: a message, or bytes. */
  message(field: number, mark: number): void {
    this.#varint(this.size - mark);
    this.#varint(field * 8 + 2);
  }

  uint32(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8);
  }

  string(field: number, value: string): void {
    const mark = this.size;
    this.#room(value.length);
    let at = this.#start;
    for (let index = value.length - 1; index >= 0; index--) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return this.bytes(field, Buffer.from(value));
      this.#bytes[--at] = code;
    }
    this.#start = at;
    this.message(field, mark);
  }

  bytes(field: number, value: Uint8Array): void {
    const mark = this.size;
    this.raw(value);
    this.message(field, mark);
  }

  /** Fields that are encoded already. */
  raw(value: Uint8Array): void {
    this.#room(value.length);
    this.#start -= value.length;
    this.#bytes.set(value, this.#start);
  }

  #varint(value: number): void {
    this.#room(5);
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length += 1;
    this.#start -= length;
    let rest = value;
    for (let at = this.#start; at < this.#start + length - 1; at++) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#start + length - 1] = rest;
  }

  #room(length: number): void {
    if (this.#start >= length) return;
    const { size } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, size + length));
    this.#bytes.copy(larger, larger.length - size, this.#start);
    this.#start = larger.length - size;
    this.#bytes = larger;
  }
}
