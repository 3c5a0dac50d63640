import { createReadStream } from 'node:fs';
import { asyncScheduler, Observable } from 'rxjs';
import type { SchedulerLike, Subscriber } from 'rxjs';
import type { ReplaySourceConfig } from '../../../config/types.ts';
import { isDeadLetter } from '../source.ts';
import type { Source, SourceContext, SourceEvent } from '../source.ts';
import { Gate } from './gate.ts';
import { readRecorded } from './readers.ts';

const CHUNK_BYTES = 1 << 16;
/** Longest wait that a timer takes, milliseconds. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/**
 * Recorded files, long CSV or NDJSON, one after the other. The position is the line's number over all files, and the
 * source goes on after the one it is given. Readings arrive when they are emitted: as fast as they are taken, or with
 * `speed` in the rhythm of their own times. Completes at the end of the last file; a file that cannot be read is an
 * error.
 */
export function createReplaySource(
  config: ReplaySourceConfig,
  context: SourceContext,
  scheduler: SchedulerLike = asyncScheduler,
): Source {
  const gate = new Gate();
  let state: 'waiting' | 'reading' | 'done' | 'failed' | 'stopped' = 'waiting';
  let detail = config.files.join(', ');
  let running: Promise<void> = Promise.resolve();

  const events = new Observable<SourceEvent>((subscriber) => {
    state = 'reading';
    running = run(subscriber).then(
      () => {
        if (state === 'reading') state = 'done';
        subscriber.complete();
      },
      (error: unknown) => {
        state = 'failed';
        detail = error instanceof Error ? error.message : String(error);
        context.log.warn({ source: config.id, error: detail }, 'replay failed');
        subscriber.error(error);
      },
    );
    return () => gate.wake();
  });

  const isOver = (subscriber: Subscriber<SourceEvent>): boolean => subscriber.closed || state === 'stopped';

  async function run(subscriber: Subscriber<SourceEvent>): Promise<void> {
    const due = pacer(config.speed, scheduler);
    const clock = { at: () => context.now(), passed: () => undefined };
    let linesBefore = 0;
    for (const name of config.files) {
      detail = name;
      context.log.info({ source: config.id, file: name }, 'replaying');
      const chunks = createReadStream(name, { highWaterMark: CHUNK_BYTES });
      const form = { timeZone: 'UTC', separator: null, wide: null };
      let lines = 0;
      for await (const batch of readRecorded(chunks, {
        source: config.id,
        name,
        linesBefore,
        clock,
        ...form,
      })) {
        lines = batch.lines;
        for (const event of batch.events) {
          if (positionOf(event) <= context.lastPosition) continue;
          if (!isDeadLetter(event)) {
            for (let waitMs; (waitMs = due(event.timestamp)) > 0 && !isOver(subscriber);) {
              await gate.sleep(Math.min(waitMs, MAX_WAIT_MS), scheduler);
            }
          }
          while (gate.isPaused && !isOver(subscriber)) await gate.opened();
          if (isOver(subscriber)) return;
          subscriber.next(arrivingNow(event, context.now()));
        }
      }
      linesBefore += lines;
    }
  }

  const stop = async (): Promise<void> => {
    if (state === 'reading' || state === 'waiting') state = 'stopped';
    gate.wake();
    await running;
  };
  return {
    id: config.id,
    type: config.type,
    window: Infinity,
    events,
    // The position of the last commit is all the progress there is, and the store keeps it.
    commit: () => undefined,
    pause: () => gate.pause(),
    resume: () => gate.resume(),
    status: () => ({
      connected: state === 'reading',
      detail: `${state}: ${detail}`,
      reconnects: 0,
      problems: {},
    }),
    stop,
    close: stop,
  };
}

const positionOf = (event: SourceEvent): number =>
  isDeadLetter(event) ? event.position : (event.received?.position ?? 0);

/** A reading is decoded with the rest of its chunk, but arrives when it is handed on. */
function arrivingNow(event: SourceEvent, arrivedAt: number): SourceEvent {
  if (isDeadLetter(event)) return { ...event, arrivedAt };
  return event.received === null ? event : { ...event, received: { ...event.received, arrivedAt } };
}

/** Milliseconds until a reading of a source time is due; the first one is due at once. */
function pacer(speed: number | null, scheduler: SchedulerLike): (timestamp: number) => number {
  if (speed === null) return () => 0;
  let start: { readonly timestamp: number; readonly at: number } | null = null;
  return (timestamp) => {
    start ??= { timestamp, at: scheduler.now() };
    return start.at + (timestamp - start.timestamp) / speed - scheduler.now();
  };
}
