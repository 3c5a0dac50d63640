import type { LiveEvent } from './live.ts';

/** Which events a client wants; null = all. A twin or an anomaly belongs to no sensor. */
export interface StreamFilter {
  readonly assets: ReadonlySet<string> | null;
  readonly sensors: ReadonlySet<string> | null;
  readonly types: ReadonlySet<string> | null;
  /** Equal for equal filters: clients with the same one share what is sent. */
  readonly key: string;
}

/** Each list may hold comma separated names. */
export function streamFilter(
  assets: readonly string[] = [],
  sensors: readonly string[] = [],
  types: readonly string[] = [],
): StreamFilter {
  const lists = [assets, sensors, types].map((list) => list.flatMap((item) => item.split(',')).sort());
  const [a, s, t] = lists.map((list) => (list.length === 0 ? null : new Set(list)));
  return { assets: a ?? null, sensors: s ?? null, types: t ?? null, key: JSON.stringify(lists) };
}

export function wants(filter: StreamFilter, event: LiveEvent): boolean {
  if (filter.types !== null && !filter.types.has(event.type)) return false;
  if (event.type === 'twin' || event.type === 'anomaly') {
    const { asset } = event.type === 'twin' ? event.twin : event.anomaly;
    return filter.sensors === null && (filter.assets === null || filter.assets.has(asset));
  }
  const { asset, sensor } = ofSensor(event);
  if (filter.assets !== null && !filter.assets.has(asset)) return false;
  return filter.sensors === null || filter.sensors.has(sensor);
}

function ofSensor(event: Exclude<LiveEvent, { readonly type: 'twin' | 'anomaly' }>): {
  readonly asset: string;
  readonly sensor: string;
} {
  if (event.type === 'reading') return event.reading;
  return event.type === 'smoothed' ? event.smoothed : event.window;
}

/** Events of one key replace each other for a client that cannot keep up. */
export function conflationKey(event: LiveEvent): string {
  switch (event.type) {
    case 'reading':
      return `r\n${event.reading.asset}\n${event.reading.sensor}`;
    case 'smoothed':
      return `s\n${event.smoothed.asset}\n${event.smoothed.sensor}`;
    case 'window':
      return `w${event.window.sizeMs},${event.window.everyMs}\n${event.window.asset}\n${event.window.sensor}`;
    case 'twin':
      return `t\n${event.twin.asset}`;
    case 'anomaly':
      return `a\n${event.anomaly.asset}`;
  }
}
