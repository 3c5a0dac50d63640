import { createServer } from 'node:net';
import type { Socket } from 'node:net';

const CONNECT = 1;
const SUBSCRIBE = 8;
const PINGREQ = 12;

/** One connection to the fake broker, for MQTT 3.1.1 packets of at most 127 bytes. */
export interface RawConnection {
  readonly socket: Socket;
  /** All packets but CONNECT, SUBSCRIBE and PINGREQ, in hexadecimal. */
  readonly received: string[];
  publish(topic: string, payload: string, qos: 0 | 1 | 2, packetId: number, again?: 'again'): void;
  /** QoS 2: the PUBREC was heard. */
  release(packetId: number): void;
}

export interface RawBroker {
  readonly url: string;
  readonly connections: RawConnection[];
  /** What the next CONNACK says. */
  sessionPresent: boolean;
  close(): Promise<void>;
}

/** A broker that does only what a test tells it to, so that acknowledgements can be lost at a chosen instant. */
export async function startRawBroker(): Promise<RawBroker> {
  const connections: RawConnection[] = [];
  const server = createServer((socket) => {
    const received: string[] = [];
    let pending = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let length = packetLength(pending); length <= pending.length; length = packetLength(pending)) {
        const packet = pending.subarray(0, length);
        pending = pending.subarray(length);
        const type = packet.readUInt8(0) >> 4;
        if (type === CONNECT) socket.write(Buffer.from([0x20, 2, broker.sessionPresent ? 1 : 0, 0]));
        else if (type === SUBSCRIBE)
          socket.write(Buffer.from([0x90, 3, packet.readUInt8(2), packet.readUInt8(3), 1]));
        else if (type === PINGREQ) socket.write(Buffer.from([0xd0, 0]));
        else received.push(packet.toString('hex'));
      }
    });
    connections.push({
      socket,
      received,
      publish(topic, payload, qos, packetId, again) {
        const name = Buffer.from(topic);
        const id = qos === 0 ? [] : [packetId >> 8, packetId & 0xff];
        const body = Buffer.concat([
          Buffer.from([0, name.length]),
          name,
          Buffer.from(id),
          Buffer.from(payload),
        ]);
        socket.write(
          Buffer.concat([
            Buffer.from([0x30 | (again === undefined ? 0 : 8) | (qos << 1), body.length]),
            body,
          ]),
        );
      },
      release(packetId) {
        socket.write(Buffer.from([0x62, 2, packetId >> 8, packetId & 0xff]));
      },
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const broker: RawBroker = {
    url: `mqtt://127.0.0.1:${address.port}`,
    connections,
    sessionPresent: false,
    async close() {
      for (const { socket } of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return broker;
}

/** Length of the first packet in the bytes; Infinity while not even its header is there. */
function packetLength(bytes: Buffer): number {
  let length = 0;
  for (let i = 1; i < bytes.length && i <= 4; i += 1) {
    const byte = bytes.readUInt8(i);
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 128) return 1 + i + length;
  }
  return Infinity;
}
