import type { LiveView } from '../api/live.ts';
import type { Observed } from './observed.ts';

/** What metrics can ask of the running pipeline. Walks over all sensors, once a scrape. */
export function observeLive(live: LiveView): Observed {
  return {
    sources: () => live.sources(),
    twins: () =>
      live
        .assets()
        .flatMap(({ id, twin }) => (twin === null ? [] : [{ asset: id, status: twin.sync.status }])),
    anomalies: () =>
      live.assets().flatMap(({ id: asset, anomaly }) => {
        if (anomaly === null) return [];
        const { latest, learning, alarms } = anomaly;
        const [score, threshold] = [latest?.score ?? null, latest?.threshold ?? null];
        const alarm = latest?.alarm ?? false;
        return { asset, alarm, learning: learning !== null, score, threshold, alarms };
      }),
    lags: () => {
      const now = live.now();
      const lags = new Map<string, number>();
      for (const { sensors } of live.assets()) {
        for (const { latest } of sensors) {
          if (latest?.received == null) continue;
          const lagS = (now - latest.timestamp) / 1000;
          const { source } = latest.received;
          lags.set(source, Math.max(lags.get(source) ?? -Infinity, lagS));
        }
      }
      return lags;
    },
  };
}
