import type { Config } from '../../config/types.ts';
import { createProcessor } from '../processor.ts';
import type { Entry } from '../processor.ts';
import type { Output } from '../pipeline.ts';
import { isDeadLetter } from '../sources/source.ts';
import { recordedClock } from '../sources/replay/clock.ts';
import type { WideOptions } from '../sources/replay/header.ts';
import { readRecorded } from '../sources/replay/readers.ts';
import { StateRegistry } from '../stateRegistry.ts';
import type { LiveTwin } from '../twin/liveTwin.ts';
import type { Format } from './replayFormat.ts';
import type { Sink } from './replaySink.ts';
import type { ReplayTally } from './replayTally.ts';

/** Ticks that one gap in the recording gives rise to at most. */
export const MAX_GAP_TICKS = 600;
/** Characters handed to the sink at a time. */
const WRITE_SIZE = 1 << 16;

export interface ReplayInput {
  readonly name: string;
  open(): AsyncIterable<Uint8Array>;
}

export interface ReplayParts {
  readonly config: Config;
  readonly twins: ReadonlyMap<string, LiveTwin>;
  readonly inputs: readonly ReplayInput[];
  readonly separator: string | null;
  readonly timeZone: string;
  readonly wide: WideOptions | null;
  readonly format: Format;
  readonly sink: Sink;
  readonly tally: ReplayTally;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
  /** After each batch. */
  readonly onProgress?: () => void;
  readonly onOutput?: (output: Output) => void;
}

/**
 * Sends recordings through the operators of `run` and writes what they make of them. The clock is the recording's own,
 * so that the same inputs and configuration give the same bytes.
 *
 * @throws InputError where an input cannot be read as a whole; the signal's reason when aborted.
 */
export async function replay(parts: ReplayParts): Promise<void> {
  const { config, twins, inputs, format, sink, tally, signal } = parts;
  const processor = createProcessor({
    config,
    twins,
    registry: new StateRegistry(),
    lastRow: 0,
    recorded: true,
    onDrop: (reason) => tally.drop(reason),
  });
  const clock = recordedClock();
  const ticks = tickTimes(config.pipeline.tickMs);
  let pending = format.header;

  const collect = (outputs: readonly Output[]): void => {
    for (const output of outputs) {
      if (output.type === 'reading') tally.reading(output.reading);
      parts.onOutput?.(output);
      pending += format.line(output);
    }
  };
  const flush = async (size: number): Promise<boolean> => {
    if (pending.length < size) return true;
    const text = pending;
    pending = '';
    return sink.write(text);
  };
  const settle = (entry: Entry | null): void => {
    // Nothing is put off where nobody is asked.
    if (entry === null) return;
    const { input, outputs } = entry;
    if ('reason' in input) tally.deadLetter(input);
    collect(outputs);
  };

  let linesBefore = 0;
  for (const input of inputs) {
    let lines = 0;
    const { separator, timeZone, wide } = parts;
    const options = { source: 'replay', name: input.name, linesBefore, separator, timeZone, wide, clock };
    for await (const batch of readRecorded(input.open(), options)) {
      signal?.throwIfAborted();
      for (const event of batch.events) {
        if (!isDeadLetter(event)) {
          tally.readings += 1;
          for (const at of ticks(event.received?.arrivedAt ?? event.timestamp))
            settle(processor.process({ at }));
        }
        settle(processor.process(event));
        if (pending.length >= WRITE_SIZE && !(await flush(WRITE_SIZE))) return;
      }
      lines = batch.lines;
      parts.onProgress?.();
    }
    linesBefore += lines;
  }
  collect(processor.complete());
  if (await flush(1)) await sink.end();
}

const NO_TICKS: readonly number[] = [];

/**
 * The multiples of `tickMs` that the clock passes on its way to a time, oldest first; none on its first call. Of a long
 * gap, the first 599 and the last.
 */
export function tickTimes(tickMs: number): (clock: number) => readonly number[] {
  let passed: number | null = null;
  return (clock) => {
    const last = Math.floor(clock / tickMs);
    const first = (passed ?? last) + 1;
    if (last < first) {
      passed ??= last;
      return NO_TICKS;
    }
    passed = last;
    const count = Math.min(last - first + 1, MAX_GAP_TICKS);
    const times = Array.from({ length: count }, (_, i) => (first + i) * tickMs);
    times[count - 1] = last * tickMs;
    return times;
  };
}
