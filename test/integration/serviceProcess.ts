import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RunProcess {
  readonly child: ChildProcess;
  readonly startedAt: number;
  stdout(): string;
  stderr(): string;
  /** Exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** Where the API listens; null before it says so. */
  address(): string | null;
}

/** `rxtwin run` as a process, ended with the test. */
export function run(files: readonly string[], cwd: string = ROOT): RunProcess {
  const startedAt = performance.now();
  const args = [`${ROOT}/src/main.ts`, 'run', ...files.flatMap((file) => ['--config', file])];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    startedAt,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    address: () => /http:\/\/[\d.]+:\d+/.exec(stderr)?.[0] ?? null,
  };
}

/** Numbers of the shutdown steps in the log. */
export const steps = (process: RunProcess): number[] =>
  process
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { step?: number }).step)
    .filter((step) => step !== undefined);
