import type { TwinRecord } from '../../operators/steps/twin.ts';
import type { EstimatedReading, WindowAggregate } from '../../operators/types.ts';
import type { StoredReading } from '../../src/store/store.ts';
import type { ServiceProcess } from './serviceProcess.ts';
import type { Plan } from './plan.ts';

/*
 * What is compared: everything that depends on the readings, as text in which each number stands with all its digits
 * (a double is read back from it to the last bit), and nothing that depends on when the service ran: row numbers,
 * arrival times, how old something is by the clock.
 */

/** Twins and latest estimates: asset or `asset/sensor` -> text. */
export interface Snapshot {
  readonly twins: Map<string, string>;
  readonly latest: Map<string, string>;
}

/** JSON has no -0 and neither has the store's contract; all else is exact. */
const text = (value: unknown): string => JSON.stringify(value);

export function rowContent(row: EstimatedReading | StoredReading): string {
  const { timestamp, value, unit, quality, imputed, estimate, issues } = row;
  const e = estimate === null ? null : [estimate.value, estimate.ratePerS, estimate.stdDev];
  const raw = 'raw' in row ? row.raw : row.received;
  const received = raw === null ? null : [raw.value, raw.unit, raw.quality];
  const found = issues.map(({ check, message }) => [check, message]);
  return text([timestamp, value, unit, quality, imputed, e, received, found]);
}

export function windowContent(w: WindowAggregate): string {
  return text([
    [w.unit, w.sizeMs, w.everyMs, w.start, w.end, w.count, w.badCount, w.imputedCount, w.revision],
    [w.mean, w.timeWeightedMean, w.min, w.max, w.stdDev, w.first, w.last],
  ]);
}

export const digestOfTwin = ({ timestamp, state, parameters, residuals }: TwinRecord): number =>
  digestOf(text([timestamp, sorted(state), sorted(parameters), sorted(residuals)]));

/** A twin as the API shows it, without its sync. */
export function comparableTwin(twin: unknown): string {
  const { timestamp, state, parameters, residuals } = fields(twin);
  return text([timestamp, sorted(state), sorted(parameters), sorted(residuals)]);
}

/** The latest reading as the API shows it, without `stale`. */
export function comparableLatest(latest: unknown): string {
  const { timestamp, value, unit, quality, issues, imputed, estimate } = fields(latest);
  return text([timestamp, value, unit, quality, issues, imputed, sorted(estimate)]);
}

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

const sorted = (value: unknown): unknown =>
  value === null || value === undefined
    ? null
    : Object.entries(fields(value))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]): unknown => [key, typeof inner === 'object' ? sorted(inner) : inner]);

/** 53 bits of a text: two 32-bit FNV-1a sums with different starts. */
export function digestOf(content: string): number {
  let a = 0x811c9dc5;
  let b = 0x050c5d1f;
  for (let i = 0; i < content.length; i += 1) {
    const code = content.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + i), 0x01000193);
    b ^= b >>> 15;
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) >>> 11);
}

/** What the running service shows of all twins and sensors of a plan. */
export async function snapshotOf(service: ServiceProcess, plan: Plan): Promise<Snapshot> {
  const snapshot: Snapshot = { twins: new Map(), latest: new Map() };
  for (const asset of plan.assets) {
    const shown = await service.get(`/api/assets/${asset}/twin`).then(comparableTwin, String);
    snapshot.twins.set(asset, shown);
  }
  for (const [asset, sensor] of plan.sensors) {
    const path = `/api/assets/${asset}/sensors/${sensor}/latest`;
    snapshot.latest.set(`${asset}/${sensor}`, await service.get(path).then(comparableLatest, String));
  }
  return snapshot;
}

export interface Differences {
  readonly twins: number;
  readonly latest: number;
  /** The first difference found, in full; '' where there is none. */
  readonly example: string;
}

export function differences(found: Snapshot, expected: Snapshot): Differences {
  let example = '';
  const count = (ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): number => {
    let differing = 0;
    for (const [name, content] of theirs) {
      const shown = ours.get(name) ?? 'nothing';
      if (shown === content) continue;
      differing += 1;
      if (example === '') example = `${name}: ${shown} instead of ${content}`;
    }
    return differing;
  };
  return { twins: count(found.twins, expected.twins), latest: count(found.latest, expected.latest), example };
}
