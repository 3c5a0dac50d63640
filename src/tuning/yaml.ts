import { isName } from '../../config/names.ts';
import { durationText, percent, shown } from './setting.ts';
import type { Plain, Setting } from './setting.ts';
import type { SensorTuning } from './tune.ts';

const WIDTH = 118;

/** The proposals as configuration that can be pasted, with the evidence as comments. */
export function tuningYaml(tunings: readonly SensorTuning[], inputs: readonly string[]): string {
  const lines = [
    ...comment(`Proposed by rxtwin tune from ${inputs.join(', ')}.`, 0),
    ...comment(
      'It knows what was recorded, and nothing else: limits that physics gives are better than those seen. Shares of flagged readings are those of each check by itself.',
      0,
    ),
  ];
  const assets = new Map<string, SensorTuning[]>();
  for (const tuning of tunings) {
    const { asset } = tuning.record;
    assets.set(asset, [...(assets.get(asset) ?? []), tuning]);
  }
  const hasAny = tunings.some((tuning) => refusal(tuning) === null);
  lines.push(hasAny ? 'assets:' : 'assets: {}');
  for (const [asset, sensors] of assets) lines.push(...assetLines(asset, sensors));
  return lines.map((line) => `${line}\n`).join('');
}

function assetLines(asset: string, tunings: readonly SensorTuning[]): string[] {
  const proposed = tunings.filter((tuning) => refusal(tuning) === null);
  const left = tunings.flatMap((tuning) => {
    const name = `${asset}/${tuning.record.sensor}`;
    const why = refusal(tuning);
    return why === null ? [] : comment(`${name}: no proposal: ${why}`, 2);
  });
  if (proposed.length === 0) return left;
  return [
    `  ${scalar(asset)}:`,
    ...anomalyHint(proposed),
    '    sensors:',
    ...proposed.flatMap(sensorLines),
    ...left,
  ];
}

/** Why a sensor cannot be configured. */
function refusal({ record: { asset, sensor }, reason }: SensorTuning): string | null {
  const wrong = [asset, sensor].find((name) => !isName(name));
  if (wrong === undefined) return reason;
  return `${JSON.stringify(wrong)} is not a valid name in a configuration, expected letters, digits, "_", "-" and "."`;
}

function anomalyHint(tunings: readonly SensorTuning[]): string[] {
  const intervals = tunings.map(({ evidence }) => evidence?.timing.medianMs ?? 0);
  const intervalMs = Math.max(1, Math.round(Math.max(...intervals)));
  if (tunings.length < 2 || intervalMs > 2 ** 31) return [];
  const sensors = tunings.map(({ record }) => scalar(record.sensor)).join(', ');
  return comment(
    `To judge these together, without those that may drift freely: anomaly: { sensors: [${sensors}], intervalMs: ${intervalMs} }`,
    4,
  );
}

function sensorLines(tuning: SensorTuning): string[] {
  return [
    `      ${scalar(tuning.record.sensor)}:`,
    ...evidenceTexts(tuning).flatMap((text) => comment(text, 8)),
    ...tuning.warnings.flatMap((text) => comment(`WARNING: ${text}`, 8)),
    ...tuning.hints.flatMap((text) => comment(`note: ${text}`, 8)),
    ...tuning.settings.flatMap(settingLines),
  ];
}

function settingLines({ key, value, note }: Setting): string[] {
  if (value === undefined) return comment(`${key}: ${note}`, 8);
  const line = `        ${key}: ${flow(value)}`;
  const together = `${line} # ${note}`;
  if (together.length <= WIDTH) return [together];
  const above = comment(`${key}: ${note}`, 8);
  return line.length <= WIDTH ? [...above, line] : [...above, `        ${key}:`, ...block(value)];
}

/** What was found in the recording, and how the proposed filter does on the part that it was not fitted to. */
export function evidenceTexts({ record, evidence }: SensorTuning): string[] {
  if (evidence === null) return [];
  const { counts, first, last, min, max } = record;
  const { timing, held, resolution, spikes, filter, present } = evidence;
  const odd = [
    [counts.missing, 'missing'],
    [counts.bad, 'Bad'],
    [counts.uncertain, 'Uncertain'],
    [counts.late, 'late'],
    [counts.repeated, 'at a repeated time'],
    [counts.otherUnit, 'in another unit'],
  ] as const;
  const others = odd.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
  const every = `every ${durationText(timing.medianMs)} (p5 ${durationText(timing.p5Ms)}, p95 ${durationText(timing.p95Ms)}, jitter ${percent(timing.jitter)})`;
  const gaps =
    timing.gaps === 0 ? 'no gaps' : `${timing.gaps} gaps, the longest ${durationText(timing.longestMs)}`;
  const sample = held < counts.usable ? ` Examined: ${held} of them, in blocks spread evenly.` : '';
  const { judgement } = filter;
  const fitted = `Fitted to the first 70 %; on the last 30 % (${judgement.count} readings)`;
  return [
    `${counts.readings} readings in ${durationText(last - first)}, ${every}, ${gaps}${others.join('')}.${sample}`,
    `Values ${shown(min)} to ${shown(max)}, ${resolution === null ? 'no resolution to be seen' : `in steps of ${resolution}`}; standard deviation of the noise ${shown(filter.stdDev)}; ${spikes} spikes.`,
    `${fitted}: ${judged(judgement)}.`,
    ...(present === null
      ? []
      : [
          `${evidence.isConfigured ? 'As configured so far' : 'With the defaults'} (${present.mode}): ${judged(present)}.`,
        ]),
  ];
}

function judged({
  nis,
  lag1,
  inBand,
  offCount,
}: {
  nis: number | null;
  lag1: number | null;
  inBand: number;
  offCount: number;
}): string {
  const off = offCount === 0 ? '' : `, ${offCount} readings off the level`;
  return `NIS ${nis?.toFixed(2) ?? '-'} (expected 1), correlation of innovations ${lag1?.toFixed(2) ?? '-'} (0), inside the 95 % band ${percent(inBand)}${off}`;
}

/** Comment lines of at most WIDTH characters. */
function comment(text: string, indent: number): string[] {
  const start = `${' '.repeat(indent)}# `;
  const lines: string[] = [];
  let line = '';
  // Names of files may hold anything, line ends included.
  for (const word of text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ').split(' ')) {
    if (line !== '' && start.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${start}${each}`);
}

/** A map with a line for each of its keys. */
function block(value: Plain): string[] {
  if (typeof value !== 'object' || value === null || isList(value)) return [`          ${flow(value)}`];
  return Object.entries(value).map(([key, each]) => `          ${key}: ${flow(each)}`);
}

function flow(value: Plain): string {
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? scalar(value) : String(value);
  const entries = Object.entries(value).map(([key, each]) => `${key}: ${flow(each)}`);
  return `{ ${entries.join(', ')} }`;
}

const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value);

/** Plain where no reader of YAML takes it for anything but text. */
const scalar = (text: string): string =>
  /^[A-Za-z_][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
