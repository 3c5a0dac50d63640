import { Observable, share } from 'rxjs';
import type { Subscriber } from 'rxjs';
import type { MqttSourceConfig } from '../../../config/types.ts';
import { createBackoff } from '../backoff.ts';
import { arrivalTimes } from '../arrivalTimes.ts';
import { futureLimit } from '../futureLimit.ts';
import type { FutureLimit } from '../futureLimit.ts';
import type { Source, SourceContext, SourceEvent, SourceStatus } from '../source.ts';
import { deadLetter, decodePayload } from './codec.ts';
import type { DecodeMeta } from './codec.ts';
import { Connection } from './connection.ts';
import { Deliveries } from './deliveries.ts';
import { displayUrl, topicFilters } from './options.ts';
import { topicReader } from './topic.ts';

/**
 * Readings from an MQTT broker. Messages of QoS 1 and 2 are acknowledged when they are committed, in order of arrival.
 * What was not acknowledged on one connection comes again on the next; it is known by its name (`Received.delivery`: packet id
 * and hash of topic and payload) and acknowledged without being passed on again, also after a restart.
 *
 * @throws RangeError on a bad URL or topic template.
 */
export function createMqttSource(config: MqttSourceConfig, context: SourceContext): Source {
  return new MqttSource(config, context);
}

/** MQTT 3.1.1 lets the broker choose without saying; 10 is the smallest default among the common ones (HiveMQ). */
const ASSUMED_WINDOW = 10;

function windowOf({ qos, protocolVersion, receiveMaximum }: MqttSourceConfig): number {
  if (qos === 0) return Infinity;
  return protocolVersion === 5 ? receiveMaximum : ASSUMED_WINDOW;
}

class MqttSource implements Source {
  readonly id: string;
  readonly type = 'mqtt';
  readonly window: number;
  readonly events: Observable<SourceEvent>;
  readonly #config: MqttSourceConfig;
  readonly #context: SourceContext;
  readonly #namesOf: ReturnType<typeof topicReader>;
  readonly #backoff: ReturnType<typeof createBackoff>;
  readonly #url: string;
  readonly #problems = new Map<string, string>();
  readonly #deliveries: Deliveries;
  readonly #timeOfArrival: () => number;
  readonly #isTooFarAhead: FutureLimit;
  #subscriber: Subscriber<SourceEvent> | undefined;
  #connection: Connection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #position: number;
  #paused = false;
  #stopped = false;
  #connected = false;
  #connections = 0;
  #connectedAt = 0;
  #detail = 'not started';

  constructor(config: MqttSourceConfig, context: SourceContext) {
    this.id = config.id;
    this.window = windowOf(config);
    this.#config = config;
    this.#context = context;
    this.#position = context.lastPosition;
    this.#deliveries = new Deliveries(context.lastPosition, context.delivered);
    this.#timeOfArrival = arrivalTimes(() => context.now());
    this.#isTooFarAhead = futureLimit(config.maxFutureMs, () => context.now());
    this.#url = displayUrl(config.url);
    this.#namesOf = topicReader(config.topicTemplate);
    this.#backoff = createBackoff(config.reconnect);
    this.events = new Observable<SourceEvent>((subscriber) => {
      if (this.#stopped) {
        subscriber.complete();
        return undefined;
      }
      this.#subscriber = subscriber;
      // What an earlier subscriber had in hand is not in this one's.
      this.#deliveries.forgetInHand();
      this.#open();
      return () => void this.#disconnect();
    }).pipe(share());
  }

  commit(position: number): void {
    this.#deliveries.commit(position);
    this.#connection?.acknowledge();
  }

  pause(): void {
    this.#paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#connection?.resume();
  }

  status(): SourceStatus {
    return {
      connected: this.#connected,
      detail: this.#detail,
      reconnects: Math.max(0, this.#connections - 1),
      problems: Object.fromEntries(this.#problems),
      redelivered: this.#deliveries.redelivered,
    };
  }

  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#connection?.stop();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#disconnect();
    this.#subscriber?.complete();
  }

  async #disconnect(): Promise<void> {
    clearTimeout(this.#retry);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#connected = false;
    this.#detail = `disconnected from ${this.#url} by this service`;
    await connection?.close();
  }

  #open(): void {
    try {
      const connection: Connection = new Connection(this.#config, this.#deliveries, {
        onConnect: (sessionPresent) => this.#onConnect(connection, sessionPresent),
        nextPosition: () => (this.#position += 1),
        topicHash: (topic) => this.#namesOf(topic).hash,
        onMessage: (...message) => this.#onMessage(...message),
        onClose: (reason, refused) => {
          if (this.#connection === connection) this.#onClose(reason, refused);
        },
      });
      this.#connection = connection;
      if (this.#paused) connection.pause();
    } catch (error) {
      this.#onClose(error instanceof Error ? error.message : String(error), true);
    }
  }

  #onConnect(connection: Connection, sessionPresent: boolean): void {
    if (this.#connection !== connection) return;
    this.#connected = true;
    this.#connections += 1;
    this.#connectedAt = performance.now();
    this.#detail = `connected to ${this.#url} by ${connection.protocol}`;
    this.#context.log.info({ source: this.id, sessionPresent }, this.#detail);
    // A session left by an earlier run may hold other subscriptions than are configured now.
    if (sessionPresent && this.#connections > 1) return;
    for (const [topic, filter] of topicFilters(this.#config)) void this.#subscribe(connection, topic, filter);
  }

  async #subscribe(connection: Connection, topic: string, filter: string): Promise<void> {
    const problem = await connection.subscribe(filter, this.#config.qos);
    if (problem === undefined) {
      this.#problems.delete(topic);
      return;
    }
    this.#problems.set(topic, problem);
    this.#context.log.warn({ source: this.id, topic, problem }, 'a topic is not subscribed to as configured');
  }

  #onMessage(topic: string, payload: Buffer, position: number, delivery: number | undefined): void {
    const subscriber = this.#subscriber;
    if (subscriber === undefined) return;
    const { id: source } = this;
    const arrivedAt = this.#context.now();
    const names = this.#namesOf(topic);
    if ('problem' in names) {
      const meta = { source, position, delivery, arrivedAt, origin: topic };
      subscriber.next(deadLetter('badTopic', names.problem, meta, payload.toString('utf8', 0, 4096)));
      return;
    }
    const { maxPayloadBytes, maxFutureMs } = this.#config;
    const { asset, sensor } = names;
    const meta: DecodeMeta = {
      asset,
      sensor,
      source,
      position,
      delivery,
      arrivedAt,
      timeOfArrival: this.#timeOfArrival,
      origin: topic,
      maxPayloadBytes,
      maxFutureMs,
      isTooFarAhead: this.#isTooFarAhead,
    };
    for (const event of decodePayload(payload, meta)) subscriber.next(event);
  }

  #onClose(reason: string, refused: boolean): void {
    this.#connection = undefined;
    if (this.#connected && performance.now() - this.#connectedAt >= this.#config.reconnect.maxMs) {
      this.#backoff.reset();
    }
    this.#connected = false;
    if (this.#stopped) {
      this.#detail = `not connected to ${this.#url}: ${reason}; stopped`;
      return;
    }
    const waitMs = Math.round(refused ? this.#backoff.longest() : this.#backoff.next());
    this.#detail = `not connected to ${this.#url}: ${reason}; next attempt in ${waitMs} ms`;
    this.#context.log.warn({ source: this.id, reason, waitMs }, 'no connection to the broker');
    this.#retry = setTimeout(() => this.#open(), waitMs);
  }
}
