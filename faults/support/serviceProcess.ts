import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endOf, spawnChild } from './children.ts';
import { until } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Where a service lives over its restarts. */
export interface ServiceHome {
  readonly folder: string;
  readonly configFile: string;
  readonly storePath: string;
  /** All that the service has written to standard output and error, over its restarts. */
  readonly logFile: string;
}

/** Writes the configuration, with a store in the folder and the API on a free port. Anything given overrides that. */
export function serviceHome(folder: string, config: object): ServiceHome {
  mkdirSync(folder, { recursive: true });
  const configFile = join(folder, 'rxtwin.json');
  const storePath = join(folder, 'data', 'store.duckdb');
  const defaults = {
    // Source times of a plan are long ago.
    store: { path: storePath, retentionDays: 36_500 },
    api: { host: '127.0.0.1', port: 0 },
    log: { level: 'info' },
  };
  writeFileSync(configFile, JSON.stringify({ ...defaults, ...config }, null, 2));
  return { folder, configFile, storePath, logFile: join(folder, 'service.log') };
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node, before the script. */
  readonly nodeArgs?: readonly string[];
  /** A command that runs the service, e.g. `['prlimit', '--fsize=50000000']`. */
  readonly through?: readonly string[];
  /** More configuration files, later ones override. */
  readonly configFiles?: readonly string[];
}

export interface ServiceProcess {
  readonly pid: number;
  /** performance.now() at the start. */
  readonly startedAt: number;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** False once the process has ended. */
  alive(): boolean;
  kill(signal?: NodeJS.Signals): void;
  /** Resolves with the milliseconds since the start once /health/ready says so. */
  ready(timeoutMs?: number): Promise<number>;
  /** Where the API listens, e.g. `http://127.0.0.1:8080`. @throws Error before it does */
  address(): string;
  /** Parsed body of a path of the API. @throws Error where the status is not 200 */
  get(path: string): Promise<unknown>;
  text(path: string): Promise<string>;
  /** Sum of a metric over its labels; those that contain `labels` only. */
  metric(name: string, labels?: string): Promise<number>;
  /** What this process has written so far. */
  output(): string;
  /** This process' log records, parsed. */
  records(): readonly Readonly<Record<string, unknown>>[];
  /** SIGTERM, then waits. @returns exit code, null where it had to be killed */
  stop(timeoutMs?: number): Promise<number | null>;
}

/** `rxtwin run` as a process of its own, as users run it; may be started again on the same home once it has ended. */
export function startService(home: ServiceHome, options: StartOptions = {}): ServiceProcess {
  const log = openSync(home.logFile, 'a');
  const offset = readFileSync(home.logFile).length;
  const files = [home.configFile, ...(options.configFiles ?? [])].flatMap((file) => ['--config', file]);
  const [command = process.execPath, ...args] = [
    ...(options.through ?? []),
    process.execPath,
    ...(options.nodeArgs ?? []),
    MAIN,
    'run',
    ...files,
  ];
  const startedAt = performance.now();
  const child = spawnChild(command, args, {
    cwd: home.folder,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const ended = endOf(child);
  ended.catch(() => undefined);
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const output = (): string => readFileSync(home.logFile).subarray(offset).toString();

  let address: string | undefined;
  const whereItListens = (): string => {
    address ??= /live page +(http:\/\/[\d.]+:\d+)/.exec(output())?.[1];
    if (address === undefined) throw new Error('the API does not listen yet');
    return address;
  };
  const fetchText = async (path: string): Promise<string> => {
    const response = await fetch(whereItListens() + path, { signal: AbortSignal.timeout(10_000) });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${body.slice(0, 500)}`);
    return body;
  };

  return {
    pid: child.pid ?? -1,
    startedAt,
    ended,
    alive,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    output,
    async ready(timeoutMs = 60_000) {
      return until(
        'the service to be ready',
        async () => {
          if (!alive()) throw new Error(`the service has ended: ${output().slice(-2000)}`);
          return fetchText('/health/ready').then(
            () => performance.now() - startedAt,
            () => undefined,
          );
        },
        { timeoutMs },
      );
    },
    address: whereItListens,
    text: fetchText,
    get: async (path) => JSON.parse(await fetchText(path)) as unknown,
    async metric(name, labels = '') {
      const lines = (await fetchText('/metrics')).split('\n');
      const own = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return own
        .filter((line) => line.includes(labels))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    records: () => output().split('\n').flatMap(parsedLine),
    async stop(timeoutMs = 30_000) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      const { code } = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

function parsedLine(line: string): Readonly<Record<string, unknown>>[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line) as Readonly<Record<string, unknown>>];
  } catch {
    return []; // cut off by a kill
  }
}
