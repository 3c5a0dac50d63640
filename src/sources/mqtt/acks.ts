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
  /** 1 where an acknowledgement for the packet id waits here. */
  readonly #waiting = new Uint8Array(65_536);

  get size(): number {
    return this.#positions.length - this.#first;
  }

  /** Whether an acknowledgement for this packet id waits to be released. */
  has(packetId: number): boolean {
    return this.#waiting[packetId] === 1;
  }

  /** Acknowledgements keep the order of arrival: one owed for an earlier position waits for those before it. */
  owe(position: number, packetId: number, qos: 1 | 2): void {
    this.#waiting[packetId] = 1;
    this.#positions.push(Math.max(position, this.#positions.at(-1) ?? 0));
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
    this.#waiting[packetId] = 0;
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
