import { table } from './report.ts';
import type { Slope } from './slope.ts';

/** What a soak leaves for the report. */
export interface SoakFigures {
  readonly minutes: number;
  /** Readings a second. */
  readonly rate: number;
  /** Not counted in the slopes: the store's cache fills, code is compiled. */
  readonly warmUpMinutes: number;
  readonly memory: readonly MemoryFigures[];
  readonly descriptors: { readonly first: number; readonly last: number; readonly most: number };
  /** Timers that keep the process alive. */
  readonly timers: { readonly first: number; readonly last: number; readonly most: number };
  /** Longest delay of the event loop between two samples, milliseconds. */
  readonly lagMs: { readonly median: number; readonly worst: number };
  readonly end: { readonly exitCode: number | null; readonly tookMs: number; readonly byItself: boolean };
  readonly failures: readonly string[];
}

export interface MemoryFigures {
  readonly what: string;
  readonly firstMb: number;
  readonly lastMb: number;
  readonly mostMb: number;
  /** MB an hour. */
  readonly slope: Slope;
  /** MB an hour; passed where the lower bound of the slope is not above it. null: not judged in so short a run. */
  readonly limit: number | null;
}

const fixed = (value: number): string => value.toFixed(1);

/** The soak as Markdown, for the report and the terminal. */
export function soakText(figures: SoakFigures): string {
  const { minutes, rate, warmUpMinutes, memory, descriptors, timers, lagMs, end, failures } = figures;
  const rows = memory.map(({ what, firstMb, lastMb, mostMb, slope, limit }) => [
    what,
    fixed(firstMb),
    fixed(lastMb),
    fixed(mostMb),
    `${fixed(slope.slope)} (${fixed(slope.lower)} … ${fixed(slope.upper)})`,
    limit === null ? 'not judged' : fixed(limit),
  ]);
  return `${minutes} minutes at ${rate} readings a second, with a client on the event stream and one that reads the metrics. The
first ${fixed(warmUpMinutes)} minutes, in which caches fill, are not in the figures. The slope is that of a straight line through the samples by
least squares, with its 95 % confidence bounds; a lower bound above the limit would mean that memory certainly grows.
The whole process is judged in runs of an hour and more only, because the reserves of store and allocator fill slowly.

${table(['memory', 'first MB', 'last MB', 'most MB', 'slope, MB an hour', 'limit'], rows)}

- File descriptors: ${descriptors.first} at first, ${descriptors.last} at last, at most ${descriptors.most}.
- Timers that keep the process alive: ${timers.first} at first, ${timers.last} at last, at most ${timers.most}.
- Longest delay of the event loop in a sample: median ${fixed(lagMs.median)} ms, worst ${fixed(lagMs.worst)} ms.
- SIGTERM at the end: exit code ${String(end.exitCode)} after ${Math.round(end.tookMs)} ms, ${end.byItself ? 'by itself, with nothing left to do' : 'NOT by itself'}.
- ${failures.length === 0 ? 'Passed.' : `**Failed**: ${failures.join('; ')}.`}`;
}
