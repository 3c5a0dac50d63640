import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A way to a server that can be closed and made slow; always the same port. */
export interface InfluxFront {
  readonly url: string;
  /** Connections are refused, and those that there are cut. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Whatever passes comes so much later, in either direction. */
  delay(ms: number): void;
}

export async function startInfluxFront(targetPort: number): Promise<InfluxFront> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  const serve = async (port: number): Promise<Server> => {
    const server = createServer((incoming) => {
      const outgoing = connect(targetPort, '127.0.0.1');
      for (const [from, to] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        sockets.add(from);
        from.on('data', (data) => {
          if (delayMs === 0) to.write(data);
          else setTimeout(() => to.write(data), delayMs);
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return server;
  };
  let server: Server | null = await serve(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async down() {
      const closing = server;
      server = null;
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (closing === null ? resolve() : closing.close(() => resolve())));
    },
    async up() {
      server ??= await serve(port);
    },
    delay: (ms) => (delayMs = ms),
  };
}
