import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { temporaryFolder } from '../plantConfig.ts';
import { startChild } from '../child.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';

export interface BenchBroker {
  readonly name: string;
  readonly url: string;
  readonly protocolVersion: 4 | 5;
  stop(): Promise<void>;
}

/** mosquitto where it is installed, else aedes in a process of its own; drops nothing that waits for a slow subscriber. */
export async function startBroker(): Promise<BenchBroker> {
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${port}`;
  if (!existsSync(MOSQUITTO)) {
    const child = startChild<null>('mqtt/aedes.ts', { port });
    await child.ready;
    return {
      name: 'aedes',
      url,
      protocolVersion: 4,
      async stop() {
        child.finish();
        await child.result;
      },
    };
  }
  const dir = temporaryFolder();
  const file = join(dir, 'mosquitto.conf');
  writeFileSync(
    file,
    `user ${userInfo().username}
allow_anonymous true
log_type error
max_queued_messages 0
max_inflight_messages 1000
set_tcp_nodelay true
listener ${port} 127.0.0.1
`,
  );
  const child = spawn(MOSQUITTO, ['-c', file], { stdio: 'ignore' });
  await listening(port);
  return {
    name: 'mosquitto',
    url,
    protocolVersion: 5,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (connected) return;
    await wait(50);
  }
  throw new Error(`no broker listens on port ${port}`);
}
