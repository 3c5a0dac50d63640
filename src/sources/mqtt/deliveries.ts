import { crc32 } from 'node:zlib';
import type { Delivered } from '../source.ts';

const IDS = 65_536;
const HASHES = 2 ** 32;

/**
 * Messages of QoS 1 and 2 for which a redelivery is looked for among what is committed: the last so many. Half of all packet
 * ids, because the longer ago a message was, the likelier its id stands for another one by now.
 */
export const REMEMBERED = 32_768;

/** Name of a message: packet id and hash in one safe integer, id * 2^32 + hash. */
export const nameOf = (packetId: number, hash: number): number => packetId * HASHES + hash;

/**
 * What a source has emitted of QoS 1 and 2, by packet id. The name of a message is its packet id with a hash of topic
 * and payload, so that a message is known again when the broker sends it a second time.
 *
 * Bounded: one entry an id. Entries hold until the id is used for another message, PUBREL releases it, or the broker has
 * forgotten the session.
 */
export class Deliveries {
  /** Messages that came again and were not passed on. */
  redelivered = 0;
  #committed: number;
  #count = 0;
  readonly #hashes = new Uint32Array(IDS);
  /** 0: nothing known of that id. */
  readonly #positions = new Float64Array(IDS);
  /** How many messages had been noted before this one. Not the position, which counts messages of QoS 0 as well. */
  readonly #ordinals = new Float64Array(IDS);
  /** Of QoS 2: acknowledged by PUBREC and not yet released by PUBREL. Until then the id alone names the message. */
  readonly #unreleased = new Set<number>();

  /**
   * @param lastPosition everything up to it is committed
   * @param delivered the last committed messages, oldest first
   */
  constructor(lastPosition: number, delivered: readonly Delivered[]) {
    this.#committed = lastPosition;
    for (const { position, delivery } of delivered) {
      const packetId = Math.floor(delivery / HASHES);
      if (packetId > 0 && packetId < IDS) this.note(packetId, delivery % HASHES, position);
    }
  }

  get committed(): number {
    return this.#committed;
  }

  commit(position: number): void {
    if (position > this.#committed) this.#committed = position;
  }

  note(packetId: number, hash: number, position: number): void {
    this.#count += 1;
    this.#hashes[packetId] = hash;
    this.#positions[packetId] = position;
    this.#ordinals[packetId] = this.#count;
    this.#unreleased.delete(packetId);
  }

  /** Position under which the message was passed on before; 0 where it is new. */
  recall(packetId: number, hash: number, dup: boolean, qos: 1 | 2): number {
    const position = this.#positions[packetId] ?? 0;
    if (qos === 2 && this.#unreleased.has(packetId)) return position;
    if (!dup || position === 0 || this.#hashes[packetId] !== hash) return 0;
    const inHand = position > this.#committed;
    return inHand || this.#count - (this.#ordinals[packetId] ?? 0) < REMEMBERED ? position : 0;
  }

  /** PUBREC was sent. */
  recorded(packetId: number): void {
    this.#unreleased.add(packetId);
  }

  /** PUBREL came: the broker has heard the PUBREC, so this message cannot come again. */
  released(packetId: number): void {
    this.#unreleased.delete(packetId);
    this.#positions[packetId] = 0;
  }

  /** Whoever had the messages that are not committed will not commit them: they may come again. */
  forgetInHand(): void {
    for (let id = 0; id < IDS; id += 1) {
      if ((this.#positions[id] ?? 0) > this.#committed) this.#positions[id] = 0;
    }
  }

  /** The broker has no session any more: its packet ids begin anew. */
  clear(): void {
    this.#unreleased.clear();
    this.#positions.fill(0);
  }
}

/** CRC-32 of topic and payload; `topicHash` is the topic's own. */
export const hashOf = (topicHash: number, payload: Uint8Array): number => crc32(payload, topicHash);

/** Ends with a byte that no topic holds, so that nothing can move from topic to payload. */
export const topicHashOf = (topic: string): number => crc32(`${topic}\0`);
