import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { until } from './wait.ts';

/** First four bits of an MQTT packet. */
const CONNECT = 1;
const PUBLISH = 3;
const PUBACK = 4;
const SUBSCRIBE = 8;
const PINGREQ = 12;
const MAX_PACKET_ID = 65_535;
const MAX_IN_FLIGHT = 100;

export interface Message {
  readonly topic: string;
  readonly payload: string;
}

export interface Playing {
  /** Whether the packets say that they are repetitions. */
  readonly dup: boolean;
  /** Packet id of the first message; the others count on from there. */
  readonly firstPacketId: number;
}

/** A broker for one client that says it has the client's session, and sends what it is told to, as often as it is told to. */
export interface ReplayingBroker {
  readonly url: string;
  /** Publishes with QoS 1, in order; resolves when all are acknowledged. */
  play(messages: readonly Message[], playing: Playing): Promise<void>;
  /** Cuts the connection and waits for the next one. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

/** MQTT 3.1.1, by hand: real brokers do not repeat what was acknowledged, although a fault may make them. */
export async function startReplayingBroker(): Promise<ReplayingBroker> {
  let connection: Connection | null = null;
  let subscribed = false;
  const server = createServer((socket) => {
    // It has the session once there was a subscription; a client that is told so need not subscribe again.
    const own = new Connection(
      socket,
      () => subscribed,
      (isSubscribed) => {
        subscribed ||= isSubscribed;
        if (subscribed) connection = own;
      },
    );
    socket.on('close', () => {
      if (connection === own) connection = null;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const listening = (): Promise<Connection> => until('a subscription', () => connection ?? undefined);
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    async play(messages, { dup, firstPacketId }) {
      const current = await listening();
      for (const [i, message] of messages.entries()) {
        await current.room();
        current.publish(message, ((firstPacketId - 1 + i) % MAX_PACKET_ID) + 1, dup);
      }
      await current.quiet();
    },
    async reconnect() {
      const before = await listening();
      before.socket.destroy();
      await until('a new connection', () =>
        connection !== null && connection !== before ? true : undefined,
      );
    },
    async close() {
      connection?.socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Connection {
  readonly socket: Socket;
  readonly #hasSession: () => boolean;
  readonly #onReady: (isSubscribed: boolean) => void;
  readonly #inFlight = new Set<number>();
  #pending = Buffer.alloc(0);
  #waiting: (() => void) | null = null;

  constructor(socket: Socket, hasSession: () => boolean, onReady: (isSubscribed: boolean) => void) {
    this.socket = socket;
    this.#hasSession = hasSession;
    this.#onReady = onReady;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('close', () => this.#wake());
  }

  publish({ topic, payload }: Message, packetId: number, dup: boolean): void {
    const name = Buffer.from(topic);
    const text = Buffer.from(payload);
    const body = Buffer.alloc(2 + name.length + 2 + text.length);
    body.writeUInt16BE(name.length, 0);
    name.copy(body, 2);
    body.writeUInt16BE(packetId, 2 + name.length);
    text.copy(body, 4 + name.length);
    this.#inFlight.add(packetId);
    this.socket.write(Buffer.concat([header((PUBLISH << 4) | (dup ? 8 : 0) | 2, body.length), body]));
  }

  /** Until one more may be in flight. */
  room(): Promise<void> {
    return this.#until(() => this.#inFlight.size < MAX_IN_FLIGHT);
  }

  quiet(): Promise<void> {
    return this.#until(() => this.#inFlight.size === 0);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.socket.destroyed) throw new Error('the service has disconnected');
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (
      let size = packetSize(this.#pending);
      size <= this.#pending.length;
      size = packetSize(this.#pending)
    ) {
      this.#take(this.#pending.subarray(0, size));
      this.#pending = this.#pending.subarray(size);
    }
    this.#wake();
  }

  #take(packet: Buffer): void {
    const type = packet.readUInt8(0) >> 4;
    if (type === CONNECT) {
      this.socket.write(Buffer.from([0x20, 2, this.#hasSession() ? 1 : 0, 0]));
      this.#onReady(false);
    } else if (type === SUBSCRIBE) {
      this.socket.write(Buffer.from([0x90, 3, packet.readUInt8(2), packet.readUInt8(3), 1]));
      this.#onReady(true);
    } else if (type === PINGREQ) {
      this.socket.write(Buffer.from([0xd0, 0]));
    } else if (type === PUBACK) {
      this.#inFlight.delete(packet.readUInt16BE(2));
    }
  }
}

/** First byte and length: seven bits a byte, lowest first. */
function header(first: number, length: number): Buffer {
  const bytes = [first];
  let rest = length;
  do {
    const more = rest > 127;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Of the first packet in the bytes; Infinity while not even its header is there. */
function packetSize(bytes: Buffer): number {
  let length = 0;
  for (let i = 1; i < bytes.length && i <= 4; i += 1) {
    const byte = bytes.readUInt8(i);
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 128) return 1 + i + length;
  }
  return Infinity;
}
