import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StateRegistry } from '../stateRegistry.ts';
import type { CheckpointFolder, Draft } from './folder.ts';
import { encodeAsset, encodeEnd, encodeStart } from './format.ts';

/** Longest time for which the pipeline waits while states are written, ms; one asset is never split. */
const SLICE_MS = 2;

export interface CheckpointerParts {
  readonly registry: Pick<StateRegistry, 'assets' | 'saved'>;
  readonly folder: Pick<CheckpointFolder, 'draft'>;
  /** Id of the store. */
  readonly store: string;
  /** Up to which row the states count: those that are counted by the newest checkpoint, if any. */
  readonly lastRow: number;
  readonly everyMs: number;
  /** The last row that was processed. */
  readonly row: () => number;
  readonly onFailure: (error: unknown) => void;
}

export interface CheckpointStatus {
  /** Row up to which the newest checkpoint counts. */
  readonly row: number;
  /** When it was published by performance.now(), ms; null before the first of this run. */
  readonly at: number | null;
  /** Time from its beginning to its publication. */
  readonly durationMs: number;
  /** Longest stretch for which the pipeline had to wait. */
  readonly longestSliceMs: number;
  readonly bytes: number;
}

/**
 * Writes a checkpoint every `everyMs`: the states of one asset after the other, a few milliseconds at a time between
 * readings. It counts only rows that are durable: it is published when the last of them has been committed.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #status: CheckpointStatus;
  #committed: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  #waiting: { readonly row: number; readonly go: (durable: boolean) => void } | null = null;
  #stopped = false;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#committed = parts.row();
    this.#status = { row: parts.lastRow, at: null, durationMs: 0, longestSliceMs: 0, bytes: 0 };
  }

  get status(): CheckpointStatus {
    return this.#status;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.write().finally(() => this.start());
    }, this.#parts.everyMs);
  }

  /** To be told after each commit: every row up to this one is durable. */
  committed(row: number): void {
    this.#committed = row;
    if (this.#waiting !== null && row >= this.#waiting.row) this.#release(true);
  }

  /** Writes one now, unless nothing came since the last. Never rejects: a failure is told, and costs time at the next start. */
  write(): Promise<void> {
    if (this.#parts.row() === this.#status.row) return Promise.resolve();
    return (this.#running ??= this.#write()
      .catch(this.#parts.onFailure)
      .finally(() => (this.#running = null)));
  }

  /** Ends the schedule. What is being written and still waits for its commit is given up; `write` may be called after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#release(false);
    await this.#running;
  }

  async #write(): Promise<void> {
    const { folder, registry, row, store } = this.#parts;
    const began = performance.now();
    const draft = await folder.draft();
    try {
      const from = row();
      const assets = registry.assets();
      const first = encodeStart(store, from);
      await draft.write(first);
      const { bytes, longestSliceMs } = await this.#writeAssets(draft, assets);
      const to = row();
      const last = encodeEnd(to, assets.length);
      await draft.write(last);
      if (!(await this.#durable(to))) {
        await draft.discard();
        return;
      }
      await draft.publish(from, to);
      this.#status = {
        row: to,
        at: performance.now(),
        durationMs: performance.now() - began,
        longestSliceMs,
        bytes: first.length + bytes + last.length,
      };
    } catch (error) {
      await draft.discard().catch(() => undefined);
      throw error;
    }
  }

  async #writeAssets(
    draft: Draft,
    assets: readonly string[],
  ): Promise<{ readonly bytes: number; readonly longestSliceMs: number }> {
    const { registry, row } = this.#parts;
    let bytes = 0;
    let longestSliceMs = 0;
    for (let i = 0; i < assets.length;) {
      const began = performance.now();
      const slice: Buffer[] = [];
      for (; i < assets.length && (slice.length === 0 || performance.now() - began < SLICE_MS); i += 1) {
        const asset = assets[i] ?? '';
        slice.push(encodeAsset({ asset, row: row(), states: registry.saved(asset) }));
      }
      longestSliceMs = Math.max(longestSliceMs, performance.now() - began);
      const text = Buffer.concat(slice);
      bytes += text.length;
      await draft.write(text);
      await nextTurn();
    }
    return { bytes, longestSliceMs };
  }

  /** Resolves to false where it will not be known, because of `stop`. */
  #durable(row: number): Promise<boolean> {
    if (this.#committed >= row) return Promise.resolve(true);
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiting = { row, go: resolve };
    });
  }

  #release(durable: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.go(durable);
  }
}
