import { connect, ReasonCodes } from 'mqtt';
import type { IPublishPacket, MqttClient, Packet } from 'mqtt';
import type { MqttSourceConfig } from '../../../config/types.ts';
import { OwedAcks } from './acks.ts';
import { clientOptions } from './options.ts';

/** What a connection needs from its owner, and tells it. */
export interface ConnectionEvents {
  onConnect(sessionPresent: boolean): void;
  /** The next position. */
  nextPosition(): number;
  onMessage(topic: string, payload: Buffer, position: number): void;
  /** Once; the connection is of no use afterwards. `refused`: trying again soon will not help. */
  onClose(reason: string, refused: boolean): void;
}

/** Ids of messages of QoS 2 that were acknowledged by PUBREC and not yet released by PUBREL; outlive a connection. */
export type ReceivedIds = Set<number>;

/** Refusals that only a person can mend: wrong protocol, identifier or credentials, in 3.1.1 and 5. */
const LASTING_REFUSALS: ReadonlySet<unknown> = new Set([1, 2, 4, 5, 132, 133, 134, 135, 138, 140]);
const CLOSE_TIMEOUT_MS = 2000;
const HELD = new Error('the acknowledgement is held back until the commit');

/**
 * One connection to the broker: an mqtt.js client that never reconnects. Packet ids mean something within one
 * connection only, so the acknowledgements owed live and die with it.
 *
 * mqtt.js sends no PUBACK where the callback of `handleMessage` gets an error, and no PUBREC where that of
 * `customHandleAcks` does, and goes on to the next packet all the same. The acknowledgements so held back are written
 * to the stream by `commit`. After a PUBREC, mqtt.js answers the PUBREL by itself.
 */
export class Connection {
  readonly #client: MqttClient;
  readonly #owed = new OwedAcks();
  readonly #events: ConnectionEvents;
  readonly #received: ReceivedIds;
  #paused = false;
  #stopped = false;
  #closed = false;
  #lastPosition = 0;
  #committed = 0;
  #reason = 'connection closed';
  #refused = false;
  /** Takes in the packet that a pause caught. While it waits, mqtt.js reads no further. */
  #caught: (() => void) | undefined;
  #pings: NodeJS.Timeout | undefined;

  /** @throws where a certificate cannot be read or is not valid. */
  constructor(config: MqttSourceConfig, received: ReceivedIds, events: ConnectionEvents) {
    this.#events = events;
    this.#received = received;
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
      if (this.#paused) this.#keepAwake();
      events.onConnect(packet.sessionPresent);
    });
    client.on('disconnect', (packet) => {
      this.#reason = `broker disconnected: ${reasonText(packet.reasonCode)}`;
    });
    client.on('error', (error) => {
      if (error !== HELD) this.#onError(error);
    });
    client.on('close', () => this.#onClose());
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

  /** Sends the acknowledgements owed for everything up to `position`, in order, in one write. */
  commit(position: number): void {
    if (this.#closed) return;
    this.#committed = Math.max(this.#committed, position);
    const bytes = this.#owed.release(this.#committed, (packetId) => this.#received.add(packetId));
    if (bytes !== undefined) this.#client.stream.write(bytes);
  }

  pause(): void {
    if (this.#paused || this.#stopped || this.#closed) return;
    this.#paused = true;
    this.#keepAwake();
  }

  resume(): void {
    this.#paused = false;
    clearTimeout(this.#pings);
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
    const { qos, messageId, payload } = packet;
    if (qos === 2 && messageId !== undefined && this.#received.has(messageId)) {
      // Committed before, but its PUBREC was lost with a connection: acknowledged again, behind what is owed.
      this.#owed.owe(this.#lastPosition, messageId, qos);
      this.commit(this.#committed);
      return;
    }
    const position = this.#events.nextPosition();
    this.#lastPosition = position;
    // Owed before it is passed on, because the receiver may commit it at once.
    if (qos !== 0 && messageId !== undefined) this.#owed.owe(position, messageId, qos);
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.#events.onMessage(packet.topic, bytes, position);
  }

  #see(packet: Packet): void {
    if (packet.cmd === 'pubrel') {
      if (packet.messageId !== undefined) this.#received.delete(packet.messageId);
    } else if (packet.cmd === 'connack') {
      const code = packet.reasonCode ?? packet.returnCode ?? 0;
      if (code === 0 && !packet.sessionPresent) this.#received.clear();
    }
  }

  /**
   * While paused, PINGRESP waits behind the packets that are not read. So the broker is kept content, and mqtt.js from
   * taking the silence for a dead connection. A broker that died in a pause shows itself after it.
   */
  #keepAwake(): void {
    clearTimeout(this.#pings);
    const everyMs = this.#client.keepalive * 500;
    if (everyMs === 0) return;
    this.#pings = setTimeout(() => {
      if (this.#client.connected) {
        this.#client.sendPing();
        this.#client.reschedulePing(true);
      }
      this.#keepAwake();
    }, everyMs);
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
    clearTimeout(this.#pings);
    this.#events.onClose(this.#reason, this.#refused);
  }
}

const REASONS: Readonly<Record<number, string>> = ReasonCodes;

const reasonText = (code: number | undefined): string =>
  code === undefined ? 'no reason given' : `${REASONS[code] ?? 'unknown reason'} (${code})`;
