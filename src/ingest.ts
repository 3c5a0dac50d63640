import {
  BehaviorSubject,
  defer,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  merge,
  mergeAll,
  retry,
  takeUntil,
  timer,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Config } from '../config/types.ts';
import { boundBuffer } from '../operators/boundBuffer.ts';
import type { OnDrop } from '../operators/types.ts';
import { isTick, toBatch } from './processor.ts';
import type { ClockTick, Entry, Input, Processor } from './processor.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Source } from './sources/source.ts';
import type { CommitBatch, Store } from './store/store.ts';

const COMMIT_RETRY_MS = 1000;

export interface IngestParts {
  readonly config: Config['pipeline'];
  readonly sources: readonly Source[];
  readonly ticks: Observable<ClockTick>;
  readonly processor: Processor;
  readonly store: Pick<Store, 'commit'>;
  readonly onDrop: OnDrop;
  /** Told of each input once it was processed. */
  readonly onEntry: (entry: Entry) => void;
  readonly onCommit: (batch: CommitBatch, inputs: number, durationS: number) => void;
  readonly onCommitError: (error: unknown) => void;
  /** Completes the inputs: what is in hand is still processed and committed. */
  readonly stop: Observable<unknown>;
  /** Gives up on commits that keep failing. */
  readonly abort: Observable<unknown>;
}

/**
 * From the sources to the acknowledgement.
 *
 *     sources, ticks ─> admission buffer ─> process ─> commit buffer ─> commit ─> acknowledge
 *
 * Processing never waits for a commit; while one is in flight, the next batch collects. Once `commit.maxRows` wait, no
 * more is processed, the admission buffer fills, and its overflow policy holds: sources are paused, or readings dropped
 * before any operator has seen them. So whatever was processed will be committed, in the order of its row numbers.
 */
export function ingest(parts: IngestParts): Observable<readonly Entry[]> {
  const { config, sources, processor } = parts;
  const room = new BehaviorSubject(true);
  const roomThere = room.pipe(filter((there) => there));
  const owed = new Owed(sources);

  return merge(
    parts.ticks.pipe(takeUntil(parts.stop)),
    ...sources.map((source) => source.events.pipe(takeUntil(parts.stop))),
  ).pipe(
    boundBuffer<Input>(
      {
        ...config.buffer,
        maxBatch: config.commit.maxRows,
        key: sensorKey,
        droppable: (input) => !isTick(input) && !isDeadLetter(input),
        onDrop: (reason, input) => {
          if (!isTick(input) && !isDeadLetter(input)) parts.onDrop(reason, input);
        },
        onPressure: (paused) => {
          for (const source of sources) {
            if (paused) source.pause();
            else source.resume();
          }
        },
      },
      () => (room.value ? undefined : firstValueFrom(roomThere)),
    ),
    mergeAll(),
    map((input) => {
      const entry = processor.process(input);
      parts.onEntry(entry);
      return entry;
    }),
    boundBuffer<Entry>(
      {
        capacity: config.commit.maxRows,
        overflow: 'pause',
        putTimeoutMs: 0,
        maxBatch: config.commit.maxRows,
        maxWaitMs: config.commit.maxWaitMs,
        urgent: (entry) => owed.isPressing(entry.input),
        droppable: () => false,
        onPressure: (full) => room.next(!full),
      },
      (entries) => commit(entries, parts, owed),
    ),
  );
}

async function commit(entries: readonly Entry[], parts: IngestParts, owed: Owed): Promise<void> {
  const batch = toBatch(entries);
  const started = performance.now();
  await lastValueFrom(
    defer(() => parts.store.commit(batch)).pipe(
      retry({
        delay: (error) => {
          parts.onCommitError(error);
          return timer(COMMIT_RETRY_MS);
        },
      }),
      takeUntil(parts.abort),
    ),
  );
  parts.onCommit(batch, entries.length, (performance.now() - started) / 1000);
  owed.acknowledge(batch.positions);
}

const sensorKey = (input: Input): string =>
  isTick(input) || isDeadLetter(input) ? '' : `${input.asset}/${input.sensor}`;

/**
 * What the sources wait for. A commit may wait for more readings only while the source can go on sending without an
 * acknowledgement, so it is due at once when half of the source's window is owed.
 */
class Owed {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #committed = new Map<string, number>();

  constructor(sources: readonly Source[]) {
    this.#sources = new Map(sources.map((source) => [source.id, source]));
  }

  isPressing(input: Input): boolean {
    if (isTick(input)) return false;
    const origin = isDeadLetter(input) ? input : input.received;
    const source = origin === null ? undefined : this.#sources.get(origin.source);
    if (origin === null || source === undefined || source.window === Infinity) return false;
    return origin.position - (this.#committed.get(source.id) ?? 0) >= source.window / 2;
  }

  acknowledge(positions: ReadonlyMap<string, number>): void {
    for (const [id, position] of positions) {
      this.#committed.set(id, position);
      this.#sources.get(id)?.commit(position);
    }
  }
}
