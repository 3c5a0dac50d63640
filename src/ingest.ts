import {
  BehaviorSubject,
  combineLatest,
  defer,
  distinctUntilChanged,
  filter,
  firstValueFrom,
  identity,
  lastValueFrom,
  map,
  merge,
  Observable,
  of,
  retry,
  skip,
  Subject,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { Config } from '../config/types.ts';
import { boundBuffer } from '../operators/boundBuffer.ts';
import type { OnDrop } from '../operators/types.ts';
import { Owed, Pending } from './owed.ts';
import { isTick, toBatch } from './processor.ts';
import type { ClockTick, Entry, Input, Processor } from './processor.ts';
import type { Recall } from './recall.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Source } from './sources/source.ts';
import type { CommitBatch, Store } from './store/store.ts';

const COMMIT_RETRY_MS = 1000;
/** A commit that takes longer may have stopped senders that wait for their acknowledgements. */
const STALLED_MS = 500;

export interface IngestParts {
  readonly config: Config['pipeline'];
  readonly sources: readonly Source[];
  readonly ticks: Observable<ClockTick>;
  readonly processor: Processor;
  readonly store: Pick<Store, 'commit' | 'notes'>;
  /** Answers the processor's `isKnown`. */
  readonly recall: Recall;
  readonly onDrop: OnDrop;
  /** Told when senders are held up, by a pause or by acknowledgements that do not come, and when they may go on. */
  readonly onHeldUp?: (heldUp: boolean) => void;
  /** Told of each input once it was processed. */
  readonly onEntry: (entry: Entry) => void;
  readonly onCommit: (batch: CommitBatch, inputs: number, durationS: number) => void;
  /** `what` it was that failed and is tried again. */
  readonly onStoreError: (error: unknown, what: string) => void;
  /** True while the sources are to pause for another reason than full buffers. */
  readonly hold?: Observable<boolean>;
  /** Completes the inputs: what is in hand is still processed and committed. */
  readonly stop: Observable<unknown>;
  /** Gives up on a store that keeps failing. */
  readonly abort: Observable<unknown>;
}

/**
 * From the sources to the acknowledgement.
 *
 *     sources, ticks ─> admission buffer ─> process ─> commit buffer ─> commit ─> acknowledge
 *                                              └─ waits for the store's memory where old readings come again
 *
 * Processing never waits for a commit; while one is in flight, the next batch collects. Once `commit.maxRows` wait, no
 * more is processed, the admission buffer fills, and its overflow policy holds: sources are paused, or readings dropped
 * before any operator has seen them. So whatever was processed will be committed, in the order of its row numbers.
 *
 * The sources stay subscribed to after `stop`, because one that is not disconnects and could not be acknowledged any
 * more: `Source.close` ends them.
 */
export function ingest(parts: IngestParts): Observable<readonly Entry[]> {
  const { config, sources, processor, recall, stop, hold = of(false) } = parts;
  const room = new BehaviorSubject(true);
  const pressure = new BehaviorSubject(false);
  const stalled = new BehaviorSubject(false);
  const roomThere = room.pipe(filter((there) => there));
  const owed = new Owed(sources, parts.store.notes);
  const pending = config.buffer.overflow === 'latest' ? new Pending() : null;
  const inputs = new Subject<Input>();
  const acknowledging = new Set(sources.filter(({ window }) => window !== Infinity).map(({ id }) => id));
  // A sender that awaits an acknowledgement stops by itself once paused. What it then still has in hand is one message,
  // which may be many readings: to drop one of them and acknowledge the message would lose it.
  const keeps = (input: Input): boolean =>
    isTick(input) ||
    isDeadLetter(input) ||
    (config.buffer.overflow === 'pause' && acknowledging.has(input.received?.source ?? ''));

  const processed = (batch: readonly Input[], emit: (entry: Entry) => void): Promise<void> | undefined => {
    for (const [i, input] of batch.entries()) {
      const entry = processor.process(input);
      if (entry === null) {
        const rest = batch.slice(i);
        return persist(() => recall.fetch(rest), parts, 'Looking up old readings').then(() =>
          processed(rest, emit),
        );
      }
      recall.processed(entry);
      parts.onEntry(entry);
      emit(entry);
    }
    recall.forget();
    return undefined;
  };
  const admitted = inputs.pipe(
    takeUntil(stop),
    pending === null ? identity : tap((input) => pending.add(input)),
    boundBuffer<Input>(
      {
        ...config.buffer,
        maxBatch: config.commit.maxRows,
        key: sensorKey,
        droppable: (input) => !keeps(input),
        onDrop: (reason, input) => {
          pending?.remove(input);
          if (!isTick(input) && !isDeadLetter(input)) parts.onDrop(reason, input);
        },
        onPressure: (paused) => pressure.next(paused),
      },
      (batch) => {
        const run = (): Promise<void> | undefined => processed(batch, (entry) => entries.next(entry));
        return room.value ? run() : firstValueFrom(roomThere).then(run);
      },
    ),
  );
  const entries = new Subject<Entry>();
  const committed = entries.pipe(
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
      (batch) => {
        const late = timer(STALLED_MS).subscribe(() => stalled.next(true));
        return commit(inOrder(batch, pending, owed), batch.length, parts, owed).finally(() => {
          late.unsubscribe();
          if (stalled.value) stalled.next(false);
        });
      },
    ),
  );
  return new Observable((subscriber) => {
    let ended = false;
    subscriber.add(committed.pipe(tap({ complete: () => (ended = true) })).subscribe(subscriber));
    subscriber.add(
      admitted.subscribe({
        error: (error: unknown) => entries.error(error),
        complete: () => entries.complete(),
      }),
    );
    const paused = combineLatest([pressure, hold]).pipe(
      map(([full, held]) => full || held),
      distinctUntilChanged(),
    );
    subscriber.add(
      combineLatest([paused, stalled])
        .pipe(
          map(([held, late]) => held || late),
          distinctUntilChanged(),
          skip(1),
        )
        .subscribe((heldUp) => parts.onHeldUp?.(heldUp)),
    );
    subscriber.add(
      paused.pipe(skip(1)).subscribe((held) => {
        for (const source of sources) {
          if (held) source.pause();
          else source.resume();
        }
      }),
    );
    const listening = merge(
      parts.ticks.pipe(takeUntil(stop)),
      ...sources.map(({ events }) => events),
    ).subscribe(inputs);
    subscriber.add(() => {
      if (!ended) listening.unsubscribe();
    });
  });
}

/** The batch of these entries, acknowledging no more than what has nothing pending before it. */
function inOrder(entries: readonly Entry[], pending: Pending | null, owed: Owed): CommitBatch {
  const notes = owed.changedNotes();
  const batch = { ...toBatch(entries), ...(notes.size > 0 && { notes }) };
  if (pending === null) return batch;
  for (const { input } of entries) pending.remove(input);
  return { ...batch, positions: pending.positions() };
}

async function commit(batch: CommitBatch, inputs: number, parts: IngestParts, owed: Owed): Promise<void> {
  const started = performance.now();
  await persist(() => parts.store.commit(batch), parts, 'The last commit');
  parts.recall.committed(inputs);
  parts.onCommit(batch, inputs, (performance.now() - started) / 1000);
  owed.committed(batch);
}

/** Does it as often as it takes. Rejects where that was given up. */
function persist(
  work: () => Promise<void>,
  { onStoreError, abort }: IngestParts,
  what: string,
): Promise<void> {
  return lastValueFrom(
    defer(work).pipe(
      retry({
        delay: (error) => {
          onStoreError(error, what);
          return timer(COMMIT_RETRY_MS);
        },
      }),
      takeUntil(abort),
    ),
  );
}

const sensorKey = (input: Input): string =>
  isTick(input) || isDeadLetter(input) ? '' : `${input.asset}/${input.sensor}`;
