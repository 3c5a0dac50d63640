import { Socket } from 'node:net';
import { connect, ReasonCodes } from 'mqtt';
import type { IPublishPacket, MqttClient, Packet } from 'mqtt';
import type { MqttSourceConfig } from '../../../config/types.ts';
import { OwedAcks } from './acks.ts';
import { hashOf, nameOf } from './deliveries.ts';
import type { Deliveries } from './deliveries.ts';
import { KeepAlive } from './keepAlive.ts';
import { clientOptions } from './options.ts';

/** What a connection needs from its owner, and tells it. */
export interface ConnectionEvents {
  onConnect(sessionPresent: boolean): void;
  /** The next position. */
  nextPosition(): number;
  topicHash(topic: string): number;
  /** `delivery` is the message's name; undefined for QoS 0, which never comes again. */
  onMessage(topic: string, payload: Buffer, position: number, delivery: number | undefined): void;
  /** Once; the connection is of no use afterwards. `refused`: trying again soon will not help. */
  onClose(reason: string, refused: boolean): void;
}

/** Refusals that only a person can mend: wrong protocol, identifier or credentials, in 3.1.1 and 5. */
const LASTING_REFUSALS: ReadonlySet<unknown> = new Set([1, 2, 4, 5, 132, 133, 134, 135, 138, 140]);
const CLOSE_TIMEOUT_MS = 2000;
/** Without MQTT's keep-alive, TCP probes the connection after so long without traffic, so that it is noticed when dead. */
const TCP_PROBE_AFTER_MS = 60_000;
const HELD = new Error('the acknowledgement is held back until the commit');

/**
 * One connection to the broker: an mqtt.js client that never reconnects. The acknowledgements owed live and die with it;
 * a message that comes again on the next connection is owed for there, and known by `Deliveries`.
 *
 * mqtt.js sends no PUBACK where the callback of `handleMessage` gets an error, and no PUBREC where that of
 * `customHandleAcks` does, and goes on to the next packet all the same. The acknowledgements so held back are written
 * to the stream by `commit`. After a PUBREC, mqtt.js answers the PUBREL by itself.
 */
export class Connection {
  readonly #client: MqttClient;
  readonly #owed = new OwedAcks();
  readonly #events: ConnectionEvents;
  readonly #deliveries: Deliveries;
  readonly #keepAlive = new KeepAlive();
  #paused = false;
  #stopped = false;
  #closed = false;
  #reason = 'connection closed';
  #refused = false;
  /** Takes in the packet that a pause caught. While it waits, mqtt.js reads no further. */
  #caught: (() => void) | undefined;

  /** @throws where a certificate cannot be read or is not valid. */
  constructor(config: MqttSourceConfig, deliveries: Deliveries, events: ConnectionEvents) {
    this.#events = events;
    this.#deliveries = deliveries;
    const client = connect(config.url, clientOptions(config));
    this.#client = client;
    client.handleMessage = (packet, callback) => {
      this.#take(packet, () => callback(packet.qos === 0 ? undefined : HELD));
    };
    // Set afterwards because the constructor takes it for MQTT 5 only, though the hook serves 3.1.1 as well.
    client.options.customHandleAcks = (_topic, _payload, packet: IPublishPacket, callback) => {
      if (packet.qos === 2) this.#take(packet, () => callback(HELD));
      else callback(0);
    };
    client.on('packetreceive', (packet) => this.#see(packet));
    client.on('connect', (packet) => {
      this.#probe();
      events.onConnect(packet.sessionPresent);
    });
    client.on('disconnect', (packet) => {
      this.#reason = `broker disconnected: ${reasonText(packet.reasonCode)}`;
    });
    client.on('error', (error) => {
      if (error !== HELD) this.#onError(error);
    });
    client.on('close', () => this.#onClose());
    client.stream.on('data', () => this.#keepAlive.heard());
  }

  get protocol(): string {
    return this.#client.options.protocolVersion === 5 ? 'MQTT 5' : 'MQTT 3.1.1';
  }

  /** Subscribes to one filter; resolves to the problem, or undefined where there is none or the connection ended. */
  subscribe(filter: string, qos: 0 | 1 | 2): Promise<string | undefined> {
    return new Promise((resolve) => {
      // rh 1: retained messages only where the subscription is new, not again after each restart of the service.
      const options = this.#client.options.protocolVersion === 5 ? { qos, rh: 1 } : { qos };
      this.#client.subscribe(filter, options, (error, _grants, suback) => {
        const code = suback?.granted[0];
        if (this.#closed) resolve(undefined);
        else if (typeof code === 'number' && code >= 128)
          resolve(`subscription refused: ${reasonText(code)}`);
        else if (typeof code === 'number' && code < qos) resolve(`granted QoS ${code} instead of ${qos}`);
        else resolve(error?.message);
      });
    });
  }

  /** Sends the acknowledgements owed for everything that is committed, in order, in one write. */
  acknowledge(): void {
    if (this.#closed) return;
    const deliveries = this.#deliveries;
    const bytes = this.#owed.release(deliveries.committed, (packetId) => deliveries.recorded(packetId));
    if (bytes !== undefined) this.#client.stream.write(bytes);
  }

  pause(): void {
    if (this.#paused || this.#stopped || this.#closed) return;
    this.#paused = true;
    this.#keepAlive.pause(true);
  }

  resume(): void {
    this.#paused = false;
    this.#keepAlive.pause(false);
    const caught = this.#caught;
    this.#caught = undefined;
    caught?.();
  }

  /** From now on messages are neither passed on nor acknowledged; a session keeps them for the next connection. */
  stop(): void {
    this.#stopped = true;
    this.resume();
  }

  /** Sends DISCONNECT and waits for the end of the connection, at most 2 s. */
  close(): Promise<void> {
    this.stop();
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#client.stream.destroy(), CLOSE_TIMEOUT_MS);
      this.#client.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#client.end(!this.#client.connected);
    });
  }

  #take(packet: IPublishPacket, done: () => void): void {
    if (this.#paused) {
      this.#caught = () => this.#take(packet, done);
      return;
    }
    if (!this.#stopped && !this.#closed) this.#receive(packet);
    done();
  }

  #receive(packet: IPublishPacket): void {
    const { topic, qos, messageId, payload } = packet;
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (qos === 0 || messageId === undefined) {
      this.#events.onMessage(topic, bytes, this.#events.nextPosition(), undefined);
      return;
    }
    const hash = hashOf(this.#events.topicHash(topic), bytes);
    const before = this.#deliveries.recall(messageId, hash, packet.dup, qos);
    if (before !== 0) {
      this.#receiveAgain(messageId, before, qos);
      return;
    }
    const position = this.#events.nextPosition();
    this.#deliveries.note(messageId, hash, position);
    // Owed before it is passed on, because the receiver may commit it at once.
    this.#owed.owe(position, messageId, qos);
    this.#events.onMessage(topic, bytes, position, nameOf(messageId, hash));
  }

  /** Acknowledged like any other: at once where it is committed and nothing is owed before it, else with its commit. */
  #receiveAgain(packetId: number, position: number, qos: 1 | 2): void {
    const deliveries = this.#deliveries;
    deliveries.redelivered += 1;
    // One acknowledgement answers both; a second could be taken for that of the next message under this id.
    if (this.#owed.has(packetId)) return;
    this.#owed.owe(position, packetId, qos);
    if (position <= deliveries.committed) this.acknowledge();
  }

  #see(packet: Packet): void {
    if (packet.cmd === 'pubrel') {
      if (packet.messageId !== undefined) this.#deliveries.released(packet.messageId);
    } else if (packet.cmd === 'connack') {
      const code = packet.reasonCode ?? packet.returnCode ?? 0;
      if (code === 0 && !packet.sessionPresent) this.#deliveries.clear();
    }
  }

  /** In place of mqtt.js's own keep-alive, which takes nothing but a PINGRESP in time for a sign of life. */
  #probe(): void {
    const client = this.#client;
    const periodMs = client.keepalive * 1000;
    if (periodMs === 0 && client.stream instanceof Socket)
      client.stream.setKeepAlive(true, TCP_PROBE_AFTER_MS);
    this.#keepAlive.pause(this.#paused);
    this.#keepAlive.start(periodMs, {
      ping: () => {
        if (!client.connected) return;
        client.sendPing();
        client.reschedulePing(true);
      },
      dead: () => this.#onError(new Error(`nothing heard for ${1.25 * client.keepalive} s`)),
    });
  }

  /** Not every error ends the stream by itself: after a broken packet it would only hang. */
  #onError(error: Error): void {
    const code: unknown = 'code' in error ? error.code : undefined;
    // With several addresses behind one name, Node's error has a code and no message.
    this.#reason = error.message === '' ? String(code) : error.message.trim().replaceAll(/\s+/g, ' ');
    this.#refused = LASTING_REFUSALS.has(code);
    this.#client.stream.destroy();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#caught = undefined;
    this.#keepAlive.stop();
    this.#events.onClose(this.#reason, this.#refused);
  }
}

const REASONS: Readonly<Record<number, string>> = ReasonCodes;

const reasonText = (code: number | undefined): string =>
  code === undefined ? 'no reason given' : `${REASONS[code] ?? 'unknown reason'} (${code})`;
