import { timeReader } from '../sources/replay/cells.ts';
import { CsvRows } from '../sources/replay/csvRows.ts';
import { likelySeparator } from '../sources/replay/header.ts';
import { isUtf8, readLines } from '../sources/replay/lines.ts';
import { InputError } from '../sources/replay/readers.ts';

export interface LabelOptions {
  /** File name, for messages. */
  readonly name: string;
  /** Between cells; null: the one of `,` `;` and tab that the header has most of. */
  readonly separator: string | null;
  /** IANA name; times without a zone are read in it. */
  readonly timeZone: string;
  /** Column with the time, and column with the label. */
  readonly time: string;
  readonly label: string;
}

/** What was going on at one time, as somebody who knows says. */
export interface Label {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly anomalous: boolean;
}

const YES = /^(?:true|yes)$/i;
const NO = /^(?:false|no|)$/i;

/**
 * Labels of a recording, in order of time: CSV with a column of times and one of labels, where true, yes and numbers from 0.5
 * on mean anomalous.
 *
 * @throws InputError that names file, line and what was expected.
 */
export async function readLabels(
  chunks: AsyncIterable<Uint8Array>,
  { name, separator, timeZone, time, label }: LabelOptions,
): Promise<Label[]> {
  const toTime = timeReader(timeZone);
  const labels: Label[] = [];
  let rows: CsvRows | null = null;
  let columns: { readonly time: number; readonly label: number } | null = null;
  let line = 0;
  for await (const lines of readLines(chunks)) {
    rows ??= new CsvRows(separator ?? likelySeparator(lines[0] ?? ''));
    for (const { cells, text, lines: taken } of rows.take(lines)) {
      line += taken;
      if (text.trim() === '') continue;
      if (!isUtf8(text)) throw new InputError(`${name}:${line}: not UTF-8, expected a text in UTF-8`);
      if (cells === null) throw new InputError(`${name}:${line}: not CSV (quotes do not match)`);
      if (columns === null) {
        columns = columnsOf(cells, { name, time, label });
        continue;
      }
      const at = toTime(cells[columns.time] ?? '');
      if (Number.isNaN(at))
        throw new InputError(`${name}:${line}: ${time}: '${cells[columns.time] ?? ''}' is no time`);
      const anomalous = labelOf((cells[columns.label] ?? '').trim());
      if (anomalous === null) {
        const found = cells[columns.label] ?? '';
        throw new InputError(
          `${name}:${line}: ${label}: '${found}' is not valid, expected 0 or 1, false or true`,
        );
      }
      labels.push({ at, anomalous });
    }
  }
  if (labels.length === 0) throw new InputError(`${name}: has no labels`);
  return labels.sort((a, b) => a.at - b.at);
}

function columnsOf(
  header: readonly string[],
  { name, time, label }: Pick<LabelOptions, 'name' | 'time' | 'label'>,
): { time: number; label: number } {
  const names = header.map((cell) => cell.trim());
  const missing = [time, label].filter((column) => !names.includes(column));
  if (missing.length > 0)
    throw new InputError(`${name}: the header lacks ${missing.join(', ')}; found ${names.join(', ')}`);
  return { time: names.indexOf(time), label: names.indexOf(label) };
}

function labelOf(text: string): boolean | null {
  if (YES.test(text)) return true;
  if (NO.test(text)) return false;
  const value = Number(text);
  return Number.isNaN(value) ? null : value >= 0.5;
}
