import { median, quantile } from '../support.ts';

/** One alarm: from when to when (null = until the run's end), seconds. */
export interface Episode {
  readonly fromS: number;
  toS: number | null;
}

/** What one detector did in one run. */
export interface Watched {
  /** Whether and when the truth crossed the temperature of a runaway; the run ends there. */
  readonly runawayS: number | null;
  readonly durationS: number;
  readonly episodes: readonly Episode[];
}

/** Keeps the episodes of one detector while a run goes on. */
export class Follower {
  readonly episodes: Episode[] = [];

  see(atS: number, on: boolean): void {
    const last = this.episodes.at(-1);
    if (last?.toS === null) {
      if (!on) last.toS = atS;
    } else if (on) this.episodes.push({ fromS: atS, toS: null });
  }
}

/** The alarm that stood when the reactor ran away is the right one; all others are false. */
export function score(runs: readonly Watched[]): readonly string[] {
  const leads: number[] = [];
  let missed = 0;
  let falseAlarms = 0;
  let falseRuns = 0;
  let quiet = 0;
  let seconds = 0;
  for (const { runawayS, durationS, episodes } of runs) {
    seconds += durationS;
    const last = episodes.at(-1);
    const right = runawayS !== null && last?.toS === null ? last : undefined;
    if (runawayS === null) quiet += 1;
    else if (right === undefined) missed += 1;
    else leads.push(runawayS - right.fromS);
    const wrong = episodes.length - (right === undefined ? 0 : 1);
    falseAlarms += wrong;
    if (runawayS === null && wrong > 0) falseRuns += 1;
  }
  const inS = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(0)} s` : '');
  return [
    leads.length === 0 ? '' : inS(median(leads)),
    leads.length === 0 ? '' : inS(quantile(leads, 0.05)),
    `${missed} of ${runs.length - quiet}`,
    `${falseRuns} of ${quiet}`,
    ((falseAlarms * 86_400) / seconds).toFixed(1),
  ];
}

export const SCORED = [
  'lead, median',
  'lead, p5',
  'missed',
  'quiet runs with an alarm',
  'false alarms a day',
];
