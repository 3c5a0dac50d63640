import type { SourceEvent } from '../source.ts';
import { timeReader } from './cells.ts';
import type { ArrivalClock } from './clock.ts';
import { CsvRows } from './csvRows.ts';
import type { CsvRow } from './csvRows.ts';
import { likelySeparator, longCsvColumns, wideCsvColumns } from './header.ts';
import type { WideOptions } from './header.ts';
import { interner } from './interner.ts';
import { isUtf8, readLines } from './lines.ts';
import {
  brokenCsvRow,
  isReadingName,
  longCsvRow,
  ndjsonLine,
  NOT_UTF8,
  notUtf8,
  wideCsvRow,
} from './records.ts';
import type { LineContext } from './records.ts';

export interface ReadOptions {
  /** Id of the source. */
  readonly source: string;
  /** File name, for messages. */
  readonly name: string;
  /** Lines of the inputs before this one: a line's position is these and its own number. */
  readonly linesBefore: number;
  /** IANA name; times without a zone are read in it. */
  readonly timeZone: string;
  /** Between CSV cells; null: the one of `,` `;` and tab that the header has most of. */
  readonly separator: string | null;
  /** null: the long form. */
  readonly wide: WideOptions | null;
  readonly clock: ArrivalClock;
}

export interface RecordedBatch {
  readonly events: readonly SourceEvent[];
  /** Lines of this input read so far. */
  readonly lines: number;
}

/** The input as a whole cannot be read; the message names it and says what is wrong. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/**
 * The readings of one recorded input, a batch a chunk: long CSV or NDJSON, told apart by the first line, or wide CSV.
 * A line that cannot become a reading is a dead letter. Memory does not grow with the input.
 *
 * @throws InputError where the header does not fit or the input is empty.
 */
export async function* readRecorded(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<RecordedBatch> {
  const { name, linesBefore } = options;
  let reader: LineReader | null = null;
  let lines = 0;
  for await (const complete of readLines(chunks)) {
    let batch = complete;
    if (reader === null) {
      const blank = batch.findIndex((line) => line.trim() !== '');
      lines += blank < 0 ? batch.length : blank;
      if (blank < 0) continue;
      batch = batch.slice(blank);
      reader = openReader(batch[0] ?? '', options, linesBefore + lines);
    }
    const events: SourceEvent[] = [];
    reader.take(batch, events);
    lines += batch.length;
    yield { events, lines };
  }
  if (reader === null) throw new InputError(`${name}: is empty`);
  const events: SourceEvent[] = [];
  reader.end(events);
  if (events.length > 0) yield { events, lines };
}

interface LineReader {
  take(lines: readonly string[], out: SourceEvent[]): void;
  end(out: SourceEvent[]): void;
}

const NDJSON_NAME = /\.(?:ndjson|jsonl)$/i;

/** @param position that of the line before the first. */
function openReader(first: string, options: ReadOptions, position: number): LineReader {
  const { name, source, clock, timeZone, wide } = options;
  if (first.includes('\0')) throw new InputError(`${name}: not a text in UTF-8`);
  const at: LineContext = {
    source,
    clock,
    time: timeReader(timeZone),
    name: interner(isReadingName),
    file: name,
    linesBefore: options.linesBefore,
    position,
  };
  const isNdjson = wide === null && (NDJSON_NAME.test(name) || first.trimStart().startsWith('{'));
  return isNdjson ? ndjsonReader(at) : csvReader(at, options.separator ?? likelySeparator(first), wide);
}

function ndjsonReader(at: LineContext): LineReader {
  return {
    take(lines, out) {
      for (const text of lines) {
        at.position += 1;
        if (!isUtf8(text)) notUtf8(text, at, out);
        else if (text.trim() !== '') ndjsonLine(text, at, out);
      }
    },
    end: () => undefined,
  };
}

type RowReader = (cells: readonly string[], text: string, out: SourceEvent[]) => void;

function csvReader(at: LineContext, separator: string, wide: WideOptions | null): LineReader {
  const rows = new CsvRows(separator);
  let read: RowReader | null = null;
  const takeRows = (complete: readonly CsvRow[], out: SourceEvent[]): void => {
    for (const { cells, text, lines } of complete) {
      at.position += lines;
      const isText = isUtf8(text);
      if (read === null && !isText)
        throw new InputError(`${at.file}:${at.position - at.linesBefore}: ${NOT_UTF8}`);
      if (read === null) read = rowReader(cells, wide, at);
      else if (!isText) notUtf8(text, at, out);
      else if (cells === null) brokenCsvRow(text, at, out);
      else if (text.trim() !== '') read(cells, text, out);
    }
  };
  return {
    take: (lines, out) => takeRows(rows.take(lines), out),
    end: (out) => takeRows(rows.end(), out),
  };
}

function rowReader(header: readonly string[] | null, wide: WideOptions | null, at: LineContext): RowReader {
  try {
    if (header === null) throw new RangeError('the header is not CSV (quotes do not match)');
    if (wide === null) {
      const columns = longCsvColumns(header);
      return (cells, text, out) => longCsvRow(cells, text, columns, at, out);
    }
    const columns = wideCsvColumns(header, wide);
    return (cells, text, out) => wideCsvRow(cells, text, columns, at, out);
  } catch (error) {
    throw error instanceof RangeError ? new InputError(`${at.file}: ${error.message}`) : error;
  }
}
