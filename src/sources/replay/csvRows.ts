import { parse } from 'csv-parse/sync';
import { MAX_LINE } from './lines.ts';

/** Lines that one quoted cell may run over; an opening quote without its end must not swallow the file. */
const MAX_CELL_LINES = 100;

/** The cells of one row, or null where the text is no CSV; `lines` counts the lines that it took. */
export interface CsvRow {
  readonly cells: readonly string[] | null;
  readonly text: string;
  readonly lines: number;
}

/**
 * Cuts lines into rows. A line without a quote needs no parser: splitting it is six times as fast, and most recordings
 * have none. The others go through csv-parse, many at a time where that gives a row a line.
 */
export class CsvRows {
  readonly #separator: string;
  /** Lines of a row whose last cell is still within its quotes. */
  #open: string[] = [];

  constructor(separator: string) {
    this.#separator = separator;
  }

  /** The rows that are complete with these lines. */
  take(lines: readonly string[]): CsvRow[] {
    if (this.#open.length === 0) {
      if (!lines.some(hasQuote)) return lines.map((text) => this.#split(text));
      const parsed = parsedTogether(lines, this.#separator);
      if (parsed !== null) return parsed;
    }
    const rows: CsvRow[] = [];
    for (const line of lines) this.#takeOne(line, rows);
    return rows;
  }

  /** What is left at the end of the input. */
  end(): CsvRow[] {
    const rows: CsvRow[] = [];
    while (this.#open.length > 0) this.#giveUp(rows);
    return rows;
  }

  #takeOne(line: string, rows: CsvRow[]): void {
    if (this.#open.length === 0 && !hasQuote(line)) {
      rows.push(this.#split(line));
      return;
    }
    this.#open.push(line);
    const text = this.#open.join('\n');
    if (hasOpenQuote(text)) {
      if (this.#open.length > MAX_CELL_LINES || text.length > MAX_LINE) this.#giveUp(rows);
      return;
    }
    rows.push({ cells: parsedAlone(text, this.#separator), text, lines: this.#open.length });
    this.#open = [];
  }

  /** The first line of an unfinished row is lost; those after it are read anew. */
  #giveUp(rows: CsvRow[]): void {
    const [first = '', ...others] = this.#open;
    this.#open = [];
    rows.push({ cells: null, text: first, lines: 1 });
    for (const line of others) this.#takeOne(line, rows);
  }

  #split(text: string): CsvRow {
    return { cells: text.split(this.#separator), text, lines: 1 };
  }
}

const hasQuote = (text: string): boolean => text.includes('"');

function hasOpenQuote(text: string): boolean {
  let open = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

const parseRows = (text: string, delimiter: string): string[][] =>
  parse(text, { delimiter, relax_column_count: true, record_delimiter: '\n' });

function parsedTogether(lines: readonly string[], separator: string): CsvRow[] | null {
  try {
    const rows = parseRows(`${lines.join('\n')}\n`, separator);
    if (rows.length !== lines.length) return null;
    return rows.map((cells, i) => ({ cells, text: lines[i] ?? '', lines: 1 }));
  } catch {
    return null;
  }
}

function parsedAlone(text: string, separator: string): readonly string[] | null {
  try {
    const rows = parseRows(text, separator);
    return rows.length === 1 ? (rows[0] ?? null) : null;
  } catch {
    return null;
  }
}
