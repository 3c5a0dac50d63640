/** One labelled time, in order, and whether an alarm was in force at it. */
export interface ScoredRow {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly anomalous: boolean;
  readonly alarm: boolean;
}

/** How alarms fit labels. A share of nothing is null, and so is what depends on it. */
export interface AlarmScore {
  readonly rows: number;
  readonly anomalousRows: number;
  /** Share of normal rows in alarm, percent. */
  readonly falseAlarmPercent: number | null;
  /** Share of anomalous rows without alarm, percent. */
  readonly missedPercent: number | null;
  /** 100 − false alarms − missed: 100 = as labelled, 0 = no better than a clock or a coin. */
  readonly j: number | null;
  /** Runs of anomalous rows, and how many of them had an alarm at some time. */
  readonly anomalies: number;
  readonly found: number;
  /** Median time from the start of an anomaly that was found to its first row in alarm, seconds. */
  readonly delayS: number | null;
  /** Runs of normal rows in which an alarm began. */
  readonly falseOnsets: number;
  /** J with the labels moved to where nothing happened: far from 0 = the figures owe to something else than the sensors. */
  readonly controlJ: number | null;
}

/** What recordings count together: pooled rows, each recording's runs by themselves. */
export interface ScoreTally {
  normal: number;
  falseAlarms: number;
  anomalous: number;
  missed: number;
  anomalies: number;
  delaysS: number[];
  falseOnsets: number;
  control: { normal: number; falseAlarms: number; anomalous: number; missed: number };
}

export const scoreTally = (): ScoreTally => ({
  normal: 0,
  falseAlarms: 0,
  anomalous: 0,
  missed: 0,
  anomalies: 0,
  delaysS: [],
  falseOnsets: 0,
  control: { normal: 0, falseAlarms: 0, anomalous: 0, missed: 0 },
});

/** Adds the rows of one recording, in order of time. */
export function addRecording(tally: ScoreTally, rows: readonly ScoredRow[]): void {
  countRows(tally, rows);
  countRows(tally.control, movedLabels(rows));
  let start: number | null = null;
  let isFound = false;
  let before: ScoredRow | null = null;
  for (const row of rows) {
    if (row.anomalous && before?.anomalous !== true) {
      tally.anomalies += 1;
      start = row.at;
      isFound = false;
    }
    if (row.anomalous && row.alarm && !isFound && start !== null) {
      isFound = true;
      tally.delaysS.push((row.at - start) / 1000);
    }
    if (!row.anomalous && row.alarm && before?.alarm !== true) tally.falseOnsets += 1;
    before = row;
  }
}

/**
 * The same pattern of labels, squeezed into the rows where nothing happened; the others left out. What knows only the time,
 * and reads no sensor, does as well on them.
 */
export function movedLabels(rows: readonly ScoredRow[]): ScoredRow[] {
  const normal = rows.filter(({ anomalous }) => !anomalous);
  return normal.map((row, i) => {
    const place = Math.floor((i * rows.length) / normal.length);
    return { ...row, anomalous: rows[place]?.anomalous === true };
  });
}

export function alarmScore(tally: ScoreTally): AlarmScore {
  const { normal, anomalous, anomalies, delaysS, falseOnsets } = tally;
  return {
    rows: normal + anomalous,
    anomalousRows: anomalous,
    ...shares(tally),
    anomalies,
    found: delaysS.length,
    delayS: median(delaysS),
    falseOnsets,
    controlJ: shares(tally.control).j,
  };
}

type Counts = ScoreTally['control'];

function countRows(counts: Counts, rows: readonly ScoredRow[]): void {
  for (const { anomalous, alarm } of rows) {
    if (anomalous) {
      counts.anomalous += 1;
      if (!alarm) counts.missed += 1;
    } else {
      counts.normal += 1;
      if (alarm) counts.falseAlarms += 1;
    }
  }
}

function shares(counts: Counts): Pick<AlarmScore, 'falseAlarmPercent' | 'missedPercent' | 'j'> {
  const falseAlarmPercent = counts.normal === 0 ? null : (100 * counts.falseAlarms) / counts.normal;
  const missedPercent = counts.anomalous === 0 ? null : (100 * counts.missed) / counts.anomalous;
  const j =
    falseAlarmPercent === null || missedPercent === null ? null : 100 - falseAlarmPercent - missedPercent;
  return { falseAlarmPercent, missedPercent, j };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return middle.length === 0 ? null : middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
