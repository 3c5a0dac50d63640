import type { DropReason, EstimatedReading } from '../../operators/types.ts';
import type { DeadLetter } from '../sources/source.ts';

const SHOWN_DEAD_LETTERS = 5;
const PROGRESS_EVERY_MS = 500;

/** What a replay has seen, for the lines at its end. */
export class ReplayTally {
  /** Readings taken from the inputs. */
  readings = 0;
  readonly deadLetters = new Map<string, number>();
  readonly drops = new Map<string, number>();
  readonly issues = new Map<string, number>();
  readonly #samples: DeadLetter[] = [];

  deadLetter(letter: DeadLetter): void {
    count(this.deadLetters, letter.reason);
    if (this.#samples.length < SHOWN_DEAD_LETTERS) this.#samples.push(letter);
  }

  drop(reason: DropReason): void {
    count(this.drops, reason);
  }

  reading({ issues }: EstimatedReading): void {
    for (const { check } of issues) count(this.issues, check);
  }

  /** The first dead letters one a line, then one line with all counts. */
  lines(seconds: number): string[] {
    const total = [...this.deadLetters.values()].reduce((sum, n) => sum + n, 0);
    const left = total - this.#samples.length;
    return [
      ...this.#samples.map(({ origin, reason, detail }) => `${origin}: ${reason}: ${detail}`),
      ...(left > 0 ? [`… and ${left} more dead letters`] : []),
      `${this.readings} readings, ${seconds.toFixed(2)} s, ${perSecond(this.readings, seconds)} readings/s; ` +
        `dead letters: ${counts(this.deadLetters)}; drops: ${counts(this.drops)}; issues: ${counts(this.issues)}`,
    ];
  }
}

/** Writes how far it has come over the same line of a terminal, at most twice a second. */
export function progressLine(
  write: (text: string) => void,
  now: () => number,
): { show(readings: number, bytes: number, totalBytes: number | null): void; clear(): void } {
  const start = now();
  let last = start;
  let shown = false;
  return {
    show(readings, bytes, totalBytes) {
      const at = now();
      if (at - last < PROGRESS_EVERY_MS) return;
      last = at;
      shown = true;
      const percent =
        totalBytes === null || totalBytes === 0 ? '' : `, ${((100 * bytes) / totalBytes).toFixed(0)} %`;
      write(
        `\r\u001b[K${readings} readings, ${perSecond(readings, (at - start) / 1000)} readings/s${percent}`,
      );
    },
    clear() {
      if (shown) write('\r\u001b[K');
    },
  };
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const perSecond = (n: number, seconds: number): number => (seconds > 0 ? Math.round(n / seconds) : 0);

const counts = (by: ReadonlyMap<string, number>): string =>
  by.size === 0
    ? '0'
    : [...by]
        .map(([key, n]) => `${key} ${n}`)
        .sort()
        .join(', ');
