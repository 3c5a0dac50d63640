import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Aedes } from 'aedes';

export interface BrokerOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** Default: loopback only. */
  readonly host?: string;
}

export interface Broker {
  readonly port: number;
  /** Ends all connections. Idempotent. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 100;
const MAX_QUEUED = 10_000;
const MAX_PAYLOAD_BYTES = 262_144;
const MAX_RETAINED_TOPICS = 10_000;

/**
 * The plant's own MQTT broker (3.1.1, aedes), for the demo and for tests: nothing to install, nothing kept on disk.
 * Bounded: 100 connections, 256 KiB a message, 10 000 retained topics. Sessions end with their connection, because
 * what is queued for an absent client would have no bound.
 *
 * @throws where the port is taken.
 */
export async function startBroker({ port, host = '127.0.0.1' }: BrokerOptions): Promise<Broker> {
  const retained = new Set<string>();
  const aedes = await Aedes.createBroker({
    queueLimit: MAX_QUEUED,
    preConnect(_client, packet, done) {
      packet.clean = true;
      done(null, true);
    },
    authorizePublish(_client, packet, done) {
      if (packet.payload.length > MAX_PAYLOAD_BYTES) {
        done(new Error(`payload: ${packet.payload.length} bytes, expected at most ${MAX_PAYLOAD_BYTES}`));
        return;
      }
      if (packet.retain) {
        if (packet.payload.length === 0) retained.delete(packet.topic);
        else if (retained.size < MAX_RETAINED_TOPICS) retained.add(packet.topic);
        else packet.retain = retained.has(packet.topic);
      }
      done(null);
    },
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    throw error;
  }

  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => aedes.close(resolve));
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  let closing: Promise<void> | undefined;
  return { port: portOf(server.address()), close: () => (closing ??= close()) };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the broker has no port');
  return address.port;
}
