import type { AlarmScore } from './score.ts';

const HEAD = [
  'configuration',
  'J',
  'false alarms %',
  'missed %',
  'found',
  'delay s',
  'false onsets',
  'control J',
];

/** Settings side by side, as a Markdown table with aligned columns. */
export function scoreTable(scores: readonly { readonly name: string; readonly score: AlarmScore }[]): string {
  const rows = scores.map(({ name, score }) => [
    name,
    shown(score.j),
    shown(score.falseAlarmPercent),
    shown(score.missedPercent),
    `${score.found} of ${score.anomalies}`,
    shown(score.delayS),
    String(score.falseOnsets),
    shown(score.controlJ),
  ]);
  const widths = HEAD.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(HEAD), rule, ...rows.map(line)].map((text) => `${text}\n`).join('');
}

const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(1));
