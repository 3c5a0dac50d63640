import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';

/** What a child process sends: its answer, or that it is ready for something. */
type Message<T> = { readonly ready: true } | { readonly result: T } | { readonly error: string };

export interface Child<T> {
  /** Resolves when the child has called `ready()`. */
  readonly ready: Promise<void>;
  readonly result: Promise<T>;
  /** Tells the child to come to its end, where it waits for that. */
  finish(): void;
}

/** Runs a module of this folder in a process of its own: a fresh V8, whose CPU time is its own. */
export function startChild<T>(file: string, args: object = {}, execArgv: readonly string[] = []): Child<T> {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(args)], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ready = Promise.withResolvers<undefined>();
  const answer = Promise.withResolvers<T>();
  const result = answer.promise.then(async (value) => {
    await ended(child);
    return value;
  });
  // Whichever of the two nobody waits for.
  ready.promise.catch(() => undefined);
  result.catch(() => undefined);
  const fail = (reason: string): void => {
    const error = new Error(`${file}: ${reason}`);
    ready.reject(error);
    answer.reject(error);
  };
  child.on('message', (message: Message<T>) => {
    if ('ready' in message) ready.resolve(undefined);
    else if ('error' in message) fail(message.error);
    else answer.resolve(message.result);
  });
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => fail(`ended with ${signal ?? code ?? 'nothing'}`));
  return {
    ready: ready.promise,
    result,
    finish: () => void child.send('finish', () => undefined),
  };
}

export const runChild = <T>(file: string, args: object = {}, execArgv: readonly string[] = []): Promise<T> =>
  startChild<T>(file, args, execArgv).result;

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

export interface ChildSide {
  readonly ready: () => void;
  /** Resolves when the parent has called `finish()`. */
  readonly finish: Promise<void>;
}

/** What a child process does with its arguments; what it resolves to is sent to the parent. */
export type ChildWork<A> = (args: A, side: ChildSide) => Promise<unknown>;

/** The other side: runs `work` with the arguments where `moduleUrl` is the process's own module, and sends its result. */
export async function childProcess<A>(moduleUrl: string, work: ChildWork<A>): Promise<void> {
  if (pathToFileURL(process.argv[1] ?? '').href !== moduleUrl) return;
  const send = (message: Message<unknown>): Promise<void> =>
    new Promise((resolve) => {
      if (process.send === undefined) throw new Error(`${moduleUrl} is started by its benchmark`);
      process.send(message, () => resolve());
    });
  const finish = new Promise<void>((resolve) => {
    process.once('message', () => resolve());
  });
  try {
    const args = JSON.parse(process.argv[2] ?? '{}') as A;
    await send({ result: await work(args, { ready: () => void send({ ready: true }), finish }) });
  } catch (error) {
    await send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.exit();
}
