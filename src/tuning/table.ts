import { durationText, percent, shown } from './setting.ts';
import type { SensorTuning } from './tune.ts';

const HEAD = [
  'sensor',
  'readings',
  'every',
  'gaps',
  'step',
  'noise sd',
  'spikes',
  'mode',
  'NIS',
  'lag-1',
  'in band',
];

/** One line a sensor, in columns: what was found, and how the proposed filter does on what it was not fitted to. */
export function tuningTable(tunings: readonly SensorTuning[]): string {
  const rows = [HEAD, ...tunings.map(row)];
  const widths = HEAD.map((_, i) =>
    Math.max(
      ...rows.map((cells) =>
        cells.length === HEAD.length ? (cells[i]?.length ?? 0) : i === 0 ? (cells[0]?.length ?? 0) : 0,
      ),
    ),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i === 0 || i === 7 || cells.length < HEAD.length
          ? cell.padEnd(widths[i] ?? 0)
          : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return rows.map((cells) => `${line(cells)}\n`).join('');
}

function row({ record, evidence, reason }: SensorTuning): string[] {
  const name = `${record.asset}/${record.sensor}`;
  if (evidence === null) return [name, `no proposal: ${reason ?? ''}`];
  const { timing, resolution, filter, spikes } = evidence;
  const { judgement, options, stdDev } = filter;
  return [
    name,
    String(record.counts.readings),
    durationText(timing.medianMs),
    String(timing.gaps),
    resolution === null ? '-' : shown(resolution),
    shown(stdDev),
    String(spikes),
    options.mode,
    judgement.nis?.toFixed(2) ?? '-',
    judgement.lag1?.toFixed(2) ?? '-',
    percent(judgement.inBand),
  ];
}
