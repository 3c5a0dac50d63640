import { createReadStream } from 'node:fs';
import { loadConfig } from '../../config/load.ts';
import { ReplayedAlarms } from '../scoring/alarms.ts';
import { readLabels } from '../scoring/labels.ts';
import type { Label } from '../scoring/labels.ts';
import { addRecording, alarmScore, scoreTally } from '../scoring/score.ts';
import type { AlarmScore } from '../scoring/score.ts';
import { scoreTable } from '../scoring/table.ts';
import { openTwins } from '../twin/registry.ts';
import { CliError } from './exit.ts';
import type { Format } from './replayFormat.ts';
import { readError } from './replayInputs.ts';
import type { InputForm } from './replayInputs.ts';
import { replay } from './replayRun.ts';
import type { ReplayInput } from './replayRun.ts';
import type { Sink } from './replaySink.ts';
import { ReplayTally } from './replayTally.ts';

export interface ScoreParts extends InputForm {
  readonly inputs: readonly ReplayInput[];
  /** One for all inputs together, or one each: then each is a recording by itself, and the figures are pooled. */
  readonly labels: readonly string[];
  readonly label: string;
  /** Labelled rows at the start of each recording that are not scored. */
  readonly skip: number;
  /** Settings to compare: configuration files separated by commas, later ones over earlier ones. */
  readonly configs: readonly string[];
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

const NOTHING: Format = { header: '', line: () => '' };
const NOWHERE: Sink = {
  write: () => Promise.resolve(true),
  end: () => Promise.resolve(),
  discard: () => Promise.resolve(),
};

/** Replays the recordings with each configuration, and says how its alarms fit the labels: a table. */
export async function scoreReplays(parts: ScoreParts): Promise<string> {
  const recordings = await labelledRecordings(parts);
  const scores: { name: string; score: AlarmScore }[] = [];
  for (const name of parts.configs.length === 0 ? [''] : parts.configs) {
    const tally = scoreTally();
    for (const { inputs, labels } of recordings) {
      const alarmAt = (await alarmsOf(name, inputs, parts)).reader();
      const rows = labels.map(({ at, anomalous }) => ({ at, anomalous, alarm: alarmAt(at) }));
      addRecording(tally, rows.slice(parts.skip));
    }
    scores.push({ name: name === '' ? '(defaults)' : name, score: alarmScore(tally) });
  }
  return scoreTable(scores);
}

interface Recording {
  readonly inputs: readonly ReplayInput[];
  readonly labels: readonly Label[];
}

async function labelledRecordings(parts: ScoreParts): Promise<Recording[]> {
  const { inputs, labels: files, label, separator, timeZone, wide, signal } = parts;
  if (files.length !== 1 && files.length !== inputs.length) {
    throw new CliError(
      `--score: ${files.length} files of labels for ${inputs.length} inputs, expected 1 or as many`,
      2,
    );
  }
  const time = wide?.time ?? 'timestamp';
  return Promise.all(
    files.map(async (name, i) => {
      const chunks = createReadStream(name, { signal });
      const labels = await readLabels(chunks, { name, separator, timeZone, time, label }).catch(
        (error: unknown) => {
          throw readError(name, error);
        },
      );
      return { inputs: files.length === 1 ? inputs : inputs.slice(i, i + 1), labels };
    }),
  );
}

async function alarmsOf(
  name: string,
  inputs: readonly ReplayInput[],
  { separator, timeZone, wide, signal, warn }: ScoreParts,
): Promise<ReplayedAlarms> {
  const { config, warnings } = loadConfig(name === '' ? [] : name.split(','), process.env);
  for (const warning of warnings) warn(warning);
  const alarms = new ReplayedAlarms(Object.values(config.assets).some(({ anomaly }) => anomaly !== null));
  await replay({
    ...{ config, inputs, separator, timeZone, wide, signal },
    twins: await openTwins(config),
    format: NOTHING,
    sink: NOWHERE,
    tally: new ReplayTally(),
    onOutput: (output) => alarms.take(output),
  });
  return alarms;
}
