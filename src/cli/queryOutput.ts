import { csvField } from '../api/csv.ts';

/** A reading or a window in the shape in which the API shows it; times are ISO 8601. */
export type QueryRecord = Readonly<Record<string, unknown>>;

export type Format = 'table' | 'json' | 'csv';

type Cell = string | number | boolean | null;

const plain = (value: unknown): Cell =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;

const member = (record: QueryRecord, key: string, name: string): Cell => {
  const value = record[key];
  const found =
    typeof value === 'object' && value !== null ? Object.entries(value).find(([k]) => k === name) : [];
  return plain(found?.[1]);
};

const issues = (record: QueryRecord): string => {
  const list: unknown[] = Array.isArray(record['issues']) ? record['issues'] : [];
  const text = (issue: unknown): string => {
    const of: QueryRecord = typeof issue === 'object' && issue !== null ? { ...issue } : {};
    return `${String(plain(of['check']))}: ${String(plain(of['message']))}`;
  };
  return list.map(text).join('; ');
};

type Columns = readonly (readonly [name: string, cell: (record: QueryRecord) => Cell])[];

const column = (name: string): Columns[number] => [name, (record) => plain(record[name])];

const READING: Columns = [
  ...['timestamp', 'value', 'unit', 'quality'].map(column),
  ['estimate', (record) => member(record, 'estimate', 'value')],
  ['ratePerS', (record) => member(record, 'estimate', 'ratePerS')],
  ['stdDev', (record) => member(record, 'estimate', 'stdDev')],
  column('imputed'),
  ['issues', issues],
];

const WINDOW: Columns = [
  ...['start', 'end', 'count', 'badCount', 'mean', 'timeWeightedMean'],
  ...['min', 'max', 'stdDev', 'first', 'last'],
].map(column);

/** The text for standard output. JSON and CSV hold every digit; the table rounds to what can be read. */
export function render(
  records: readonly QueryRecord[],
  kind: 'readings' | 'windows',
  format: Format,
): string {
  if (format === 'json') return `${JSON.stringify(records, null, 2)}\n`;
  const columns = kind === 'readings' ? READING : WINDOW;
  const names = columns.map(([name]) => name);
  const rows = records.map((record) => columns.map(([, cell]) => cell(record)));
  if (format === 'csv') return [names, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
  return records.length === 0 ? '' : table(names, rows);
}

/** Escape sequences of a name, unit or message must not reach the terminal. */
export const plainText = (text: string): string => text.replaceAll(/\p{Cc}/gu, '\ufffd');

const shown = (cell: Cell): string => {
  if (cell === null) return '-';
  if (typeof cell === 'string') return plainText(cell);
  return typeof cell === 'number' ? String(Number(cell.toPrecision(9))) : String(cell);
};

function table(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [names, ...rows.map((row) => row.map(shown))];
  const width = names.map((_, i) => Math.max(...texts.map((row) => row[i]?.length ?? 0)));
  const numeric = names.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (numeric[i] === true ? text.padStart(width[i] ?? 0) : text.padEnd(width[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return texts.map((row) => `${line(row)}\n`).join('');
}
