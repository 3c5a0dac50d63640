import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const PATH = '/usr/sbin/mosquitto';

/**
 * Whether tests against a real broker can run here. Where they have to (CI, or REQUIRE_SERVERS set), its lack
 * is an error.
 */
export function hasMosquitto(): boolean {
  const required = Boolean(process.env['CI']) || Boolean(process.env['REQUIRE_SERVERS']);
  const present = existsSync(PATH);
  if (required && !present) throw new Error(`these tests need mosquitto at ${PATH} (Debian: mosquitto)`);
  return present;
}

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** Holds its configuration and, with persistence, its sessions; removed by `stop`. */
  readonly dir: string;
  /** What it has logged so far. */
  log(): string;
  signal(signal: NodeJS.Signals): void;
  /** Ends it in order, so that it saves its sessions. */
  end(): Promise<void>;
  /** Starts it again, on the same port. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export interface MosquittoOptions {
  /** Lines of its configuration; `DIR` stands for the directory. Default: anonymous clients. */
  readonly config?: readonly string[];
  /** Whether it logs each packet, or only who comes and goes. Default: each packet. */
  readonly packetLog?: 'all' | 'none';
  /** Contents by name, written into its directory. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A mosquitto of its own on a free loopback port, with queues that drop nothing. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const dir = mkdtempSync(join(tmpdir(), 'rxtwin-mosquitto-'));
  const port = await freePort();
  for (const [name, content] of Object.entries(options.files ?? {})) {
    writeFileSync(join(dir, name), content, { mode: 0o600 });
  }
  const lines = [
    `user ${userInfo().username}`,
    'log_dest stderr',
    ...(options.packetLog === 'none'
      ? ['error', 'warning', 'notice', 'information'].map((type) => `log_type ${type}`)
      : ['log_type all']),
    'max_queued_messages 0',
    `persistence_location ${dir}/`,
    `listener ${port} 127.0.0.1`,
    ...(options.config ?? ['allow_anonymous true']).map((line) => line.replaceAll('DIR', dir)),
  ];
  const file = join(dir, 'mosquitto.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);

  let child: ChildProcess | undefined;
  let log = '';
  const begin = async (): Promise<void> => {
    const started = spawn(PATH, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      let own = '';
      started.stderr.setEncoding('utf8').on('data', (text: string) => {
        own += text;
        log += text;
        if (own.includes(' running')) resolve();
      });
      started.once('exit', (code) => reject(new Error(`mosquitto ended with ${code}:\n${own}`)));
      started.once('error', reject);
    });
  };
  const end = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    // Said again until it works: mosquitto loses a signal that comes between its log line and its main loop.
    running.kill('SIGTERM');
    const again = setInterval(() => running.kill('SIGTERM'), 200);
    await exited;
    clearInterval(again);
  };
  await begin();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    dir,
    log: () => log,
    signal: (signal) => child?.kill(signal),
    begin,
    end,
    async stop() {
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
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
