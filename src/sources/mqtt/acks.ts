/** First byte of the acknowledgement that the receiver owes for a message of QoS 1 (PUBACK) or 2 (PUBREC). */
const PUBACK = 0x40;
const PUBREC = 0x50;

/**
 * Acknowledgements that one connection owes, in order of arrival. They become bytes when they are released: 4 bytes
 * each, the same in MQTT 3.1.1 and 5 (which lets reason code 0 be left out), so one commit is one write.
 */
export class OwedAcks {
  #positions: number[] = [];
  #heads: number[] = [];
  #first = 0;

  get size(): number {
    return this.#positions.length - this.#first;
  }

  owe(position: number, packetId: number, qos: 1 | 2): void {
    this.#positions.push(position);
    this.#heads.push(((qos === 1 ? PUBACK : PUBREC) << 16) | packetId);
  }

  /** The acknowledgements of everything up to `position`, as bytes to send; undefined where none is owed. */
  release(position: number, onReceived?: (packetId: number) => void): Buffer | undefined {
    const start = this.#first;
    let end = start;
    for (; end < this.#positions.length; end += 1) {
      const owed = this.#positions[end];
      if (owed === undefined || owed > position) break;
    }
    if (end === start) return undefined;
    const bytes = Buffer.allocUnsafe(4 * (end - start));
    for (let i = start; i < end; i += 1) bytes.writeUInt32BE(this.#packet(i, onReceived), 4 * (i - start));
    this.#forget(end);
    return bytes;
  }

  #packet(index: number, onReceived?: (packetId: number) => void): number {
    const head = this.#heads[index] ?? 0;
    const packetId = head & 0xffff;
    const type = head >>> 16;
    if (type === PUBREC) onReceived?.(packetId);
    return ((type << 24) | (2 << 16) | packetId) >>> 0;
  }

  /** Drops what is released; the arrays are cut only now and then, so that a release costs what it releases. */
  #forget(end: number): void {
    this.#first = end;
    if (end === this.#positions.length) {
      this.#positions = [];
      this.#heads = [];
      this.#first = 0;
    } else if (end > 1024 && end * 2 > this.#positions.length) {
      this.#positions = this.#positions.slice(end);
      this.#heads = this.#heads.slice(end);
      this.#first = 0;
    }
  }
}
