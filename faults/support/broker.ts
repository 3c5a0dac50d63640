import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { endOf, spawnChild } from './children.ts';
import { until } from './wait.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';

export interface FaultBroker {
  readonly port: number;
  readonly url: string;
  /** Starts it again, on the same port and with what it has saved. */
  start(): Promise<void>;
  /** Ends it: SIGKILL at once, SIGTERM in order (it saves its sessions). */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** A mosquitto of its own on a free loopback port: persistent, with queues that drop nothing. */
export async function startBroker(folder: string, lines: readonly string[] = []): Promise<FaultBroker> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const config = [
    `user ${userInfo().username}`,
    'allow_anonymous true',
    `log_dest file ${join(folder, 'mosquitto.log')}`,
    'log_type error',
    'log_type warning',
    'log_type notice',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'set_tcp_nodelay true',
    'persistence true',
    `persistence_location ${folder}/`,
    `listener ${port} 127.0.0.1`,
    ...lines,
  ];
  writeFileSync(file, `${config.join('\n')}\n`);
  const begin = () => spawnChild(MOSQUITTO, ['-c', file], { stdio: 'ignore' });
  let child = begin();
  await listening(port);
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      child = begin();
      await listening(port);
    },
    async end(signal) {
      child.kill(signal);
      // Said again until it works: mosquitto loses a SIGTERM that comes before its main loop.
      const again = setInterval(() => child.kill(signal), 500);
      await endOf(child);
      clearInterval(again);
    },
    signal: (signal) => void child.kill(signal),
  };
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

export async function listening(port: number): Promise<void> {
  await until(
    `a server on port ${port}`,
    () =>
      new Promise<true | undefined>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve(true);
        });
        socket.once('error', () => resolve(undefined));
      }),
    { timeoutMs: 20_000 },
  );
}
