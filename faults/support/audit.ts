import { DuckDBInstance } from '@duckdb/node-api';
import { openStoreReadOnly } from '../../src/store/duckdb.ts';
import type { StoreReader } from '../../src/store/store.ts';
import { digestOf, digestOfTwin, rowContent, windowContent } from './content.ts';
import { windowSizes } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Reference } from './reference.ts';

export interface Audit {
  /** Readings of the plan among the first `count`. */
  readonly sent: number;
  /** Different readings that the store holds: with their results, or waiting for older ones. */
  readonly stored: number;
  readonly lost: number;
  /** Rows beyond the first of a reading. */
  readonly duplicated: number;
  /** Rows that no reading of the plan accounts for. */
  readonly unknown: number;
  /** Stored rows, received or made up in a gap, whose content differs from the undisturbed run's, or that it lacks. */
  readonly wrongRows: number;
  readonly windows: number;
  /** Windows whose last revision differs, is missing, or should not be there. */
  readonly wrongWindows: number;
  readonly twinRecords: number;
  readonly wrongTwinRecords: number;
  readonly deadLetters: number;
  /** The first thing found wrong, in full; '' where there is none. */
  readonly example: string;
}

const ALL = { start: -8e15, end: 8e15, limit: 2 ** 31 - 1 };

/**
 * Reads the store of a stopped service and compares it with what was sent and with what an undisturbed run makes of it.
 * Without a reference, only readings are counted.
 */
export async function audit(
  storePath: string,
  plan: Plan,
  count: number,
  reference: Reference | null,
): Promise<Audit> {
  const held = await heldRows(storePath);
  const store = await openStoreReadOnly(storePath);
  const findings = new Findings(plan, count, reference);
  try {
    for (const [asset, sensor] of plan.sensors) {
      await auditRows(store, asset, sensor, findings, held.get(`${asset}/${sensor}`) ?? []);
      if (reference !== null) await auditWindows(store, asset, sensor, findings, reference);
    }
    if (reference !== null) await auditTwins(store, plan, findings, reference);
    findings.deadLetters = (await store.deadLetters(1_000_000)).length;
  } finally {
    await store.close();
  }
  return findings.result();
}

class Findings {
  readonly plan: Plan;
  readonly reference: Reference | null;
  readonly #count: number;
  /** Number -> row; each row counts once, whether it is held, released or both. */
  readonly #seen = new Map<number, number>();
  #duplicated = 0;
  #unknown = 0;
  #example = '';
  deadLetters = 0;
  windows = 0;
  twinRecords = 0;
  wrongRows = 0;
  wrongWindows = 0;
  wrongTwinRecords = 0;

  constructor(plan: Plan, count: number, reference: Reference | null) {
    this.plan = plan;
    this.#count = count;
    this.reference = reference;
  }

  example(describe: () => string): void {
    if (this.#example === '') this.#example = describe();
  }

  /** An input under its row number. */
  input(asset: string, sensor: string, timestamp: number, row: number): void {
    const n = this.plan.numberOf(asset, sensor, timestamp);
    if (n === undefined || n >= this.#count) {
      this.#unknown += 1;
      this.example(() => `row ${row} of ${asset}/${sensor} at ${timestamp} was never sent`);
      return;
    }
    const before = this.#seen.get(n);
    if (before === undefined) this.#seen.set(n, row);
    else if (before !== row) this.repeated(asset, sensor, timestamp, row);
  }

  repeated(asset: string, sensor: string, timestamp: number, row: number): void {
    this.#duplicated += 1;
    this.example(() => `row ${row} of ${asset}/${sensor} at ${timestamp} is there twice`);
  }

  result(): Audit {
    let sent = 0;
    let lost = 0;
    for (let n = 0; n < this.#count; n += 1) {
      if (this.plan.reading(n) === null) continue;
      sent += 1;
      if (this.#seen.has(n)) continue;
      lost += 1;
      this.example(() => `lost: ${JSON.stringify(this.plan.reading(n))}`);
    }
    return {
      sent,
      lost,
      stored: this.#seen.size,
      duplicated: this.#duplicated,
      unknown: this.#unknown,
      wrongRows: this.wrongRows,
      windows: this.windows,
      wrongWindows: this.wrongWindows,
      twinRecords: this.twinRecords,
      wrongTwinRecords: this.wrongTwinRecords,
      deadLetters: this.deadLetters,
      example: this.#example,
    };
  }
}

interface HeldRow {
  readonly row: number;
  readonly timestamp: number;
}

async function auditRows(
  store: StoreReader,
  asset: string,
  sensor: string,
  findings: Findings,
  held: readonly HeldRow[],
): Promise<void> {
  const expected = findings.reference?.rows.get(`${asset}/${sensor}`);
  const released = new Set<number>();
  let [received, madeUp] = [0, 0];
  for (const row of await store.range({ asset, sensor, ...ALL })) {
    if (row.raw !== null) {
      received += 1;
      // A second result of one input.
      if (released.has(row.row)) findings.repeated(asset, sensor, row.timestamp, row.row);
      released.add(row.row);
      findings.input(asset, sensor, row.timestamp, row.row);
    } else madeUp += 1;
    const digests = row.raw === null ? expected?.madeUp : expected?.received;
    if (digests !== undefined && digests.get(row.timestamp) !== digestOf(rowContent(row))) {
      findings.wrongRows += 1;
      findings.example(() => `${asset}/${sensor}: not in the undisturbed run: ${rowContent(row)}`);
    }
  }
  for (const { row, timestamp } of held) findings.input(asset, sensor, timestamp, row);
  if (expected === undefined) return;
  const missing = Math.max(0, expected.received.size - received) + Math.max(0, expected.madeUp.size - madeUp);
  const surplus = Math.max(0, madeUp - expected.madeUp.size);
  findings.wrongRows += missing + surplus;
  if (missing + surplus > 0) {
    findings.example(
      () =>
        `${asset}/${sensor}: ${received} received and ${madeUp} made-up rows instead of ` +
        `${expected.received.size} and ${expected.madeUp.size}`,
    );
  }
}

async function auditWindows(
  store: StoreReader,
  asset: string,
  sensor: string,
  findings: Findings,
  reference: Reference,
): Promise<void> {
  const expected = reference.windows.get(`${asset}/${sensor}`) ?? new Map<string, number>();
  const found = new Set<string>();
  for (const sizeMs of windowSizes(sensor)) {
    for (const window of await store.windows({ asset, sensor, sizeMs, ...ALL })) {
      const key = `${window.sizeMs} ${window.start}`;
      found.add(key);
      if (expected.get(key) === digestOf(windowContent(window))) continue;
      findings.wrongWindows += 1;
      findings.example(() => `window of ${asset}/${sensor} differs: ${windowContent(window)}`);
    }
  }
  for (const key of expected.keys()) {
    if (found.has(key)) continue;
    findings.wrongWindows += 1;
    findings.example(() => `window ${key} of ${asset}/${sensor} is missing`);
  }
  findings.windows += found.size;
}

async function auditTwins(
  store: StoreReader,
  plan: Plan,
  findings: Findings,
  reference: Reference,
): Promise<void> {
  for (const asset of plan.assets) {
    const expected = reference.twinRecords.get(asset) ?? new Map<number, number>();
    const found = await store.twins({ asset, ...ALL });
    findings.twinRecords += found.length;
    // A tick records a twin once more whose status has changed between two readings of one source time.
    const right = new Set(
      found
        .filter((twin) => expected.get(twin.timestamp) === digestOfTwin(twin))
        .map(({ timestamp }) => timestamp),
    );
    const surplus = found.filter(({ timestamp }) => !expected.has(timestamp)).length;
    const wrong = expected.size - right.size + surplus;
    findings.wrongTwinRecords += wrong;
    if (wrong > 0) findings.example(() => `${wrong} recorded twins of ${asset} differ`);
  }
}

/** Inputs that wait, or waited, for older ones: `asset/sensor` -> rows. The store's queries show results only. */
async function heldRows(storePath: string): Promise<ReadonlyMap<string, HeldRow[]>> {
  const instance = await DuckDBInstance.create(storePath, { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(
      `SELECT concat(asset, '/', sensor) AS name, row::DOUBLE AS row, timestamp FROM held_rows
       JOIN channels ON id = channel`,
    );
    const rows = new Map<string, HeldRow[]>();
    for (const { name, row, timestamp } of result.getRowObjectsJS()) {
      if (typeof name !== 'string') continue;
      const own = rows.get(name) ?? [];
      own.push({ row: Number(row), timestamp: Number(timestamp) });
      rows.set(name, own);
    }
    return rows;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
