import { isDeadLetter } from '../../src/sources/source.ts';
import type { DeadLetter, Delivered, Source, SourceContext, SourceEvent } from '../../src/sources/source.ts';
import { createMqttSource } from '../../src/sources/mqtt/source.ts';
import type { MqttSourceConfig } from '../../config/types.ts';
import type { Reading } from '../../operators/types.ts';

export const DEFAULTS: MqttSourceConfig = {
  id: 'plant',
  type: 'mqtt',
  url: 'mqtt://127.0.0.1:1883',
  topics: ['reactor/+/sensor/#'],
  topicTemplate: '',
  protocolVersion: 5,
  qos: 1,
  clientId: 'rxtwin',
  cleanSession: false,
  sessionExpiryS: 3600,
  sharedGroup: '',
  username: '',
  password: '',
  keepAliveS: 60,
  receiveMaximum: 1000,
  will: null,
  tls: { caFile: '', certFile: '', keyFile: '', rejectUnauthorized: true },
  maxPayloadBytes: 65_536,
  maxFutureMs: 300_000,
  reconnect: { minMs: 20, maxMs: 200 },
};

/** Of a source that begins anew. */
export const CONTEXT: SourceContext = {
  now: () => Date.now(),
  lastPosition: 0,
  delivered: [],
  newest: () => Promise.resolve(null),
  log: { info: () => undefined, warn: () => undefined },
};

/** A source with what it has emitted. */
export interface Collected {
  readonly source: Source;
  readonly events: SourceEvent[];
  readonly warnings: string[];
  readings(): Reading[];
  values(): (number | null)[];
  deadLetters(): DeadLetter[];
}

/**
 * Starts a source on the given configuration; `onEvent` is called after each event was noted. The last two are what a
 * restarted service would know.
 */
export function collect(
  config: Partial<MqttSourceConfig>,
  onEvent: (event: SourceEvent, source: Source) => void = () => undefined,
  lastPosition = 0,
  delivered: readonly Delivered[] = [],
): Collected {
  const events: SourceEvent[] = [];
  const warnings: string[] = [];
  const context: SourceContext = {
    ...CONTEXT,
    lastPosition,
    delivered,
    log: {
      info: () => undefined,
      warn: (detail, message) => warnings.push(`${message} ${JSON.stringify(detail)}`),
    },
  };
  const source = createMqttSource({ ...DEFAULTS, ...config }, context);
  source.events.subscribe((event) => {
    events.push(event);
    onEvent(event, source);
  });
  const readings = (): Reading[] => events.filter((event): event is Reading => !isDeadLetter(event));
  return {
    source,
    events,
    warnings,
    readings,
    values: () => readings().map((reading) => reading.value),
    deadLetters: () => events.filter((event): event is DeadLetter => isDeadLetter(event)),
  };
}

/** Commits every event when it comes. */
export const commitAtOnce = (event: SourceEvent, source: Source): void => source.commit(positionOf(event));

/** What a store would hold of these events, had they been committed up to the position. */
export const committedOf = (events: readonly SourceEvent[], upTo: number): Delivered[] =>
  events.flatMap((event) => {
    const position = positionOf(event);
    const delivery = isDeadLetter(event) ? event.delivery : event.received?.delivery;
    return delivery === undefined || position > upTo ? [] : [{ position, delivery }];
  });

export const positionOf = (event: SourceEvent): number =>
  isDeadLetter(event) ? event.position : (event.received?.position ?? 0);
