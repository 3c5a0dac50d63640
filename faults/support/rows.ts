import { inspect } from 'node:util';
import type { FaultOptions, FaultRow } from '../scenario.ts';

/** A line for what could not be played or counted. */
export function failedRow(fault: string, note: string): FaultRow {
  return { fault, sent: 0, stored: 0, lost: 0, duplicated: 0, twin: null, passed: false, note };
}

/** Plays one fault after the other. One that throws is a failed row under its name, and the others go on. */
export async function rowsOf(
  options: FaultOptions,
  faults: Readonly<Record<string, () => Promise<FaultRow>>>,
): Promise<readonly FaultRow[]> {
  const rows: FaultRow[] = [];
  for (const [name, play] of Object.entries(faults)) {
    try {
      const row = await play();
      options.log(`${name}: ${row.passed ? 'passed' : 'FAILED'}`);
      rows.push(row);
    } catch (error) {
      options.log(`${name}: ${inspect(error)}`);
      const message = error instanceof Error ? error.message : String(error);
      rows.push(failedRow(name, `not played to its end: ${message}`));
    }
  }
  return rows;
}
