import type { Input } from './processor.ts';
import { isTick } from './processor.ts';
import type { CommitBatch } from './store/store.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Source } from './sources/source.ts';

/** What the sources wait for: which positions are due, and when a commit may not wait any longer. */
export class Owed {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #committed = new Map<string, number>();
  readonly #notes: Map<string, string>;

  /** @param notes those of the last commit, by source id */
  constructor(sources: readonly Source[], notes: ReadonlyMap<string, string>) {
    this.#sources = new Map(sources.map((source) => [source.id, source]));
    this.#notes = new Map(notes);
  }

  /**
   * A commit may wait for more readings only while the source can go on sending without an acknowledgement, so it is due
   * at once when half of the source's window is owed.
   */
  isPressing(input: Input): boolean {
    const origin = originOf(input);
    const source = origin === null ? undefined : this.#sources.get(origin.source);
    if (origin === null || source === undefined || source.window === Infinity) return false;
    return origin.position - (this.#committed.get(source.id) ?? 0) >= source.window / 2;
  }

  /** The sources' notes that are not as they were with the last commit, by source id. */
  changedNotes(): Map<string, string> {
    const changed = new Map<string, string>();
    for (const [id, source] of this.#sources) {
      const note = source.note?.();
      if (note !== undefined && note !== (this.#notes.get(id) ?? '')) changed.set(id, note);
    }
    return changed;
  }

  committed({ positions, notes = new Map() }: CommitBatch): void {
    for (const [id, note] of notes) this.#notes.set(id, note);
    for (const [id, position] of positions) {
      this.#committed.set(id, position);
      this.#sources.get(id)?.commit(position);
    }
  }
}

/**
 * What came in and is neither committed nor dropped. Where a buffer lets newer readings overtake older ones (overflow
 * `latest`), the highest position in a commit says nothing of those below it.
 */
export class Pending {
  readonly #bySource = new Map<string, { highest: number; counts: Map<number, number> }>();

  add(input: Input): void {
    const origin = originOf(input);
    if (origin === null) return;
    const { source, position } = origin;
    const pending = this.#bySource.get(source) ?? { highest: position, counts: new Map<number, number>() };
    pending.highest = position;
    pending.counts.set(position, (pending.counts.get(position) ?? 0) + 1);
    this.#bySource.set(source, pending);
  }

  remove(input: Input): void {
    const origin = originOf(input);
    const counts = origin === null ? undefined : this.#bySource.get(origin.source)?.counts;
    if (origin === null || counts === undefined) return;
    const left = (counts.get(origin.position) ?? 0) - 1;
    if (left > 0) counts.set(origin.position, left);
    else counts.delete(origin.position);
  }

  /** Source id -> position up to which nothing is pending. */
  positions(): Map<string, number> {
    return new Map(
      [...this.#bySource].map(([source, { highest, counts }]) => {
        // Positions of one source come in ascending order, so the first is the oldest.
        const [oldest] = counts.keys();
        return [source, oldest === undefined ? highest : oldest - 1];
      }),
    );
  }
}

function originOf(input: Input): { readonly source: string; readonly position: number } | null {
  if (isTick(input)) return null;
  return isDeadLetter(input) ? input : input.received;
}
