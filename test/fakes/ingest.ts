import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Reading } from '../../operators/types.ts';
import type { DeadLetter, Source, SourceEvent } from '../../src/sources/source.ts';
import type { CommitBatch, Store } from '../../src/store/store.ts';

/** A source that a test drives by hand. */
export interface FakeSource extends Source {
  readonly events: Observable<SourceEvent>;
  readonly committed: number[];
  readonly pressure: string[];
  /** Emits a reading under the next position, which is also its source time in seconds. */
  send(value: number | null, over?: Partial<Reading>): void;
  sendBroken(): void;
  /** How many listen. */
  listeners(): number;
  fail(error: Error): void;
  complete(): void;
  /** What the source notes from now on. */
  remember(note: string): void;
}

export function fakeSource(id: string, window = Infinity): FakeSource {
  const events = new Subject<SourceEvent>();
  const committed: number[] = [];
  const pressure: string[] = [];
  let position = 0;
  let note = '';
  return {
    id,
    type: 'fake',
    note: () => note,
    remember: (next) => void (note = next),
    window,
    events,
    committed,
    pressure,
    commit: (upTo) => void committed.push(upTo),
    pause: () => void pressure.push('pause'),
    resume: () => void pressure.push('resume'),
    status: () => ({ connected: true, detail: 'fake', reconnects: 0, problems: {} }),
    stop: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send(value, over = {}) {
      position += 1;
      events.next(received(id, position, value, over));
    },
    sendBroken() {
      position += 1;
      events.next(letter(id, position));
    },
    listeners: () => (events.observed ? 1 : 0),
    fail: (error) => events.error(error),
    complete: () => events.complete(),
  };
}

export function received(
  source: string,
  position: number,
  value: number | null,
  over: Partial<Reading> = {},
): Reading {
  const unit = over.unit ?? 'degC';
  const timestamp = over.timestamp ?? position * 1000;
  return {
    asset: 'R101',
    sensor: 'temperature',
    timestamp,
    value,
    unit,
    quality: 'Good',
    issues: [],
    imputed: false,
    received: { row: 0, source, position, arrivedAt: timestamp, value, unit, quality: 'Good' },
    ...over,
  };
}

export const letter = (source: string, position: number): DeadLetter => ({
  source,
  position,
  arrivedAt: position * 1000,
  reason: 'malformed',
  detail: 'expected JSON',
  origin: 'reactor/R101/sensor/temperature',
  payload: '{',
});

/** A store whose commits end when, and as, the test says. */
export interface FakeCommits extends Pick<Store, 'commit' | 'notes'> {
  /** Attempts, failed ones included. */
  readonly attempts: CommitBatch[];
  readonly durable: CommitBatch[];
  /** How many commits are in flight: at most one, or the service breaks the store's contract. */
  inFlight(): number;
  /** From now on each commit is done at once. */
  quick(): void;
  succeed(): void;
  fail(message: string): void;
  /** Values of the durable readings, in order. */
  values(): (number | null)[];
  rows(): (number | undefined)[];
}

export function fakeCommits(): FakeCommits {
  const attempts: CommitBatch[] = [];
  const durable: CommitBatch[] = [];
  const open: { batch: CommitBatch; resolve: () => void; reject: (error: Error) => void }[] = [];
  let isQuick = false;
  const succeed = (): void => {
    const commit = open.shift();
    if (commit === undefined) throw new Error('no commit is in flight');
    durable.push(commit.batch);
    commit.resolve();
  };
  return {
    attempts,
    durable,
    notes: new Map(),
    commit(batch) {
      attempts.push(batch);
      return new Promise((resolve, reject) => {
        open.push({ batch, resolve, reject });
        if (isQuick) succeed();
      });
    },
    inFlight: () => open.length,
    quick() {
      isQuick = true;
      while (open.length > 0) succeed();
    },
    succeed,
    fail(message) {
      const commit = open.shift();
      if (commit === undefined) throw new Error('no commit is in flight');
      commit.reject(new Error(message));
    },
    values: () => durable.flatMap(({ readings }) => readings.map(({ value }) => value)),
    rows: () => durable.flatMap(({ readings }) => readings.map((reading) => reading.received?.row)),
  };
}
