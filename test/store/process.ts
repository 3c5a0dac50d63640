import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** Runs a program whose lines on standard output tell how far it is; it ends with the test. */
export function start(command: string, args: readonly string[]) {
  const child: ChildProcessWithoutNullStreams = spawn(command, args);
  const kill = (): void => void child.kill('SIGKILL');
  try {
    onTestFinished(kill);
  } catch {
    // Outside of a test, where the caller waits for its end.
  }
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** Next line that starts so. */
  const until = async (beginning: string): Promise<string> => {
    for (;;) {
      const line = await lines.next();
      if (line.done === true) throw new Error(`the child ended before "${beginning}": ${stderr}`);
      if (line.value.startsWith(beginning)) return line.value;
    }
  };
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { child, until, exited };
}
