import type { Output } from '../pipeline.ts';
import { AlarmTimeline } from './timeline.ts';

/**
 * When the pipeline raised an alarm. Where `detectAnomaly` is configured for an asset, its alarms count, of any asset; else
 * the times at which a reading had an issue.
 */
export class ReplayedAlarms {
  readonly #byAnomaly: boolean;
  readonly #timeline = new AlarmTimeline();
  readonly #inAlarm = new Set<string>();
  readonly #flagged = new Set<number>();

  constructor(byAnomaly: boolean) {
    this.#byAnomaly = byAnomaly;
  }

  take(output: Output): void {
    if (output.type === 'anomaly') {
      const { asset, alarm, timestamp } = output.anomaly;
      if (alarm) this.#inAlarm.add(asset);
      else this.#inAlarm.delete(asset);
      this.#timeline.set(timestamp, this.#inAlarm.size > 0);
    } else if (!this.#byAnomaly && output.type === 'reading' && output.reading.issues.length > 0) {
      this.#flagged.add(output.reading.timestamp);
    }
  }

  /** A reader for times in ascending order. */
  reader(): (at: number) => boolean {
    return this.#byAnomaly ? this.#timeline.reader() : (at) => this.#flagged.has(at);
  }
}
