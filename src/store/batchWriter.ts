import type { DuckDBConnection } from '@duckdb/node-api';
import type { EstimatedReading, Quality, Reading } from '../../operators/types.ts';
import type { Channels } from './channels.ts';
import {
  ByteColumn,
  ConstantColumn,
  CountColumn,
  DoubleColumn,
  IntegerColumn,
  TableWriter,
  TextColumn,
} from './columns.ts';
import { BACKFILLED, IMPUTED, RECEIVED } from './schema.ts';
import type { CommitBatch } from './store.ts';

const RANK: Readonly<Record<Quality, number>> = { Good: 0, Uncertain: 1, Bad: 2 };

const rowColumns = () => ({
  row: new CountColumn(),
  channel: new IntegerColumn(),
  timestamp: new DoubleColumn(),
  value: new DoubleColumn(),
  flags: new ByteColumn(),
  issues: new TextColumn(),
  receivedValue: new DoubleColumn(),
  position: new DoubleColumn(),
  arrivedAt: new DoubleColumn(),
});

type RowColumns = ReturnType<typeof rowColumns> & { readonly delivery: DoubleColumn };

const double = (): DoubleColumn => new DoubleColumn();
const count = (): CountColumn => new CountColumn();
const text = (): TextColumn => new TextColumn();

/** Turns a batch into rows of the running transaction. The columns are in the order of the schema. */
export class BatchWriter {
  readonly #channels: Channels;
  readonly #readings = new TableWriter('reading_rows', {
    ...rowColumns(),
    estimate: double(),
    ratePerS: double(),
    stdDev: double(),
    delivery: double(),
    commit: new ConstantColumn(),
  });
  readonly #held = new TableWriter('held_rows', { ...rowColumns(), delivery: double() });
  readonly #ticks = new TableWriter('ticks', { row: count(), at: double() });
  readonly #smoothed = new TableWriter('smoothed', {
    channel: new IntegerColumn(),
    timestamp: double(),
    value: double(),
    ratePerS: double(),
    stdDev: double(),
    wantedLagMs: double(),
    lagMs: double(),
  });
  readonly #windows = new TableWriter('windows', {
    channel: new IntegerColumn(),
    sizeMs: double(),
    everyMs: double(),
    start: double(),
    end: double(),
    count: count(),
    badCount: count(),
    imputedCount: count(),
    mean: double(),
    timeWeightedMean: double(),
    min: double(),
    max: double(),
    stdDev: double(),
    first: double(),
    last: double(),
    revision: count(),
  });
  readonly #twins = new TableWriter('twins', {
    asset: text(),
    timestamp: double(),
    state: text(),
    parameters: text(),
    residuals: text(),
    sync: text(),
    parameterStdDev: text(),
    insights: text(),
  });
  readonly #anomalies = new TableWriter('anomalies', {
    asset: text(),
    timestamp: double(),
    event: text(),
    score: double(),
    threshold: double(),
    since: double(),
    contributions: text(),
  });
  readonly #deadLetters = new TableWriter('dead_letters', {
    row: count(),
    source: text(),
    position: double(),
    arrivedAt: double(),
    reason: text(),
    detail: text(),
    origin: text(),
    payload: text(),
    delivery: double(),
  });
  readonly #newChannels = new TableWriter('channels', {
    id: new IntegerColumn(),
    asset: text(),
    sensor: text(),
    unit: text(),
    receivedUnit: text(),
    source: text(),
  });

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  async open(connection: DuckDBConnection): Promise<void> {
    for (const writer of this.#all()) await writer.open(connection);
  }

  /** @param sequence the number of the commit */
  write(batch: CommitBatch, sequence: number): void {
    this.#readings.columns.commit.value = sequence;
    for (const reading of batch.readings) this.#reading(reading, batch.lastRow);
    for (const reading of batch.held) this.#row(this.#held, reading, batch.lastRow);
    for (const tick of batch.ticks) {
      const i = this.#ticks.next();
      this.#ticks.columns.row.set(i, tick.row);
      this.#ticks.columns.at.set(i, tick.at);
    }
    this.#writeSmoothed(batch);
    this.#writeWindows(batch);
    this.#writeTwins(batch);
    this.#writeAnomalies(batch);
    this.#writeDeadLetters(batch);
    this.#writeChannels();
    for (const writer of this.#all()) writer.flush();
  }

  discard(): void {
    for (const writer of this.#all()) writer.discard();
  }

  #all() {
    return [
      this.#newChannels,
      this.#readings,
      this.#held,
      this.#ticks,
      this.#smoothed,
      this.#windows,
      this.#twins,
      this.#anomalies,
      this.#deadLetters,
    ] as const;
  }

  #reading(reading: EstimatedReading, lastRow: number): void {
    const i = this.#row(this.#readings, reading, lastRow);
    const { estimate, ratePerS, stdDev } = this.#readings.columns;
    estimate.set(i, reading.estimate?.value ?? null);
    ratePerS.set(i, reading.estimate?.ratePerS ?? null);
    stdDev.set(i, reading.estimate?.stdDev ?? null);
  }

  /** What was not received has no row number of its own; it counts to the last row of its commit. */
  #row(writer: TableWriter<RowColumns>, reading: Reading, lastRow: number): number {
    const i = writer.next();
    const to = writer.columns;
    const received = reading.received;
    const { asset, sensor, unit, issues } = reading;
    to.row.set(i, received?.row ?? lastRow);
    to.channel.set(
      i,
      this.#channels.id(asset, sensor, unit, received?.unit ?? null, received?.source ?? null),
    );
    to.timestamp.set(i, reading.timestamp);
    to.value.set(i, reading.value);
    to.flags.set(
      i,
      RANK[reading.quality] |
        (reading.imputed ? IMPUTED : 0) |
        (received === null ? 0 : RECEIVED | (RANK[received.quality] << 2)) |
        (received?.backfilled === true ? BACKFILLED : 0),
    );
    to.issues.set(i, issues.length === 0 ? null : JSON.stringify(issues));
    to.receivedValue.set(i, received?.value ?? null);
    to.position.set(i, received?.position ?? null);
    to.arrivedAt.set(i, received?.arrivedAt ?? null);
    to.delivery.set(i, received?.delivery ?? null);
    return i;
  }

  #writeSmoothed(batch: CommitBatch): void {
    const to = this.#smoothed.columns;
    for (const { asset, sensor, unit, ...smoothed } of batch.smoothed) {
      const i = this.#smoothed.next();
      to.channel.set(i, this.#channels.id(asset, sensor, unit, null, null));
      to.timestamp.set(i, smoothed.timestamp);
      to.value.set(i, smoothed.value);
      to.ratePerS.set(i, smoothed.ratePerS);
      to.stdDev.set(i, smoothed.stdDev);
      to.wantedLagMs.set(i, smoothed.wantedLagMs);
      to.lagMs.set(i, smoothed.lagMs);
    }
  }

  #writeWindows(batch: CommitBatch): void {
    const to = this.#windows.columns;
    for (const w of batch.windows) {
      const i = this.#windows.next();
      to.channel.set(i, this.#channels.id(w.asset, w.sensor, w.unit, null, null));
      to.sizeMs.set(i, w.sizeMs);
      to.everyMs.set(i, w.everyMs);
      to.start.set(i, w.start);
      to.end.set(i, w.end);
      to.count.set(i, w.count);
      to.badCount.set(i, w.badCount);
      to.imputedCount.set(i, w.imputedCount);
      to.mean.set(i, w.mean);
      to.timeWeightedMean.set(i, w.timeWeightedMean);
      to.min.set(i, w.min);
      to.max.set(i, w.max);
      to.stdDev.set(i, w.stdDev);
      to.first.set(i, w.first);
      to.last.set(i, w.last);
      to.revision.set(i, w.revision);
    }
  }

  #writeTwins(batch: CommitBatch): void {
    const to = this.#twins.columns;
    for (const twin of batch.twins) {
      const i = this.#twins.next();
      to.asset.set(i, twin.asset);
      to.timestamp.set(i, twin.timestamp);
      to.state.set(i, JSON.stringify(twin.state));
      to.parameters.set(i, JSON.stringify(twin.parameters));
      to.residuals.set(i, JSON.stringify(twin.residuals));
      to.sync.set(i, JSON.stringify(twin.sync));
      to.parameterStdDev.set(i, twin.parameterStdDev ? JSON.stringify(twin.parameterStdDev) : null);
      to.insights.set(i, twin.insights ? JSON.stringify(twin.insights) : null);
    }
  }

  #writeAnomalies(batch: CommitBatch): void {
    const to = this.#anomalies.columns;
    for (const anomaly of batch.anomalies) {
      const i = this.#anomalies.next();
      to.asset.set(i, anomaly.asset);
      to.timestamp.set(i, anomaly.timestamp);
      to.event.set(i, anomaly.event);
      to.score.set(i, anomaly.score);
      to.threshold.set(i, anomaly.threshold);
      to.since.set(i, anomaly.since);
      to.contributions.set(i, JSON.stringify(anomaly.contributions));
    }
  }

  #writeDeadLetters(batch: CommitBatch): void {
    const to = this.#deadLetters.columns;
    for (const letter of batch.deadLetters) {
      const i = this.#deadLetters.next();
      to.row.set(i, letter.row);
      to.source.set(i, letter.source);
      to.position.set(i, letter.position);
      to.arrivedAt.set(i, letter.arrivedAt);
      to.reason.set(i, letter.reason);
      to.detail.set(i, letter.detail);
      to.origin.set(i, letter.origin);
      to.payload.set(i, letter.payload);
      to.delivery.set(i, letter.delivery ?? null);
    }
  }

  #writeChannels(): void {
    const to = this.#newChannels.columns;
    for (const channel of this.#channels.fresh) {
      const i = this.#newChannels.next();
      to.id.set(i, channel.id);
      to.asset.set(i, channel.asset);
      to.sensor.set(i, channel.sensor);
      to.unit.set(i, channel.unit);
      to.receivedUnit.set(i, channel.receivedUnit);
      to.source.set(i, channel.source);
    }
  }
}
