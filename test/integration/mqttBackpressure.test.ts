import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connectAsync } from 'mqtt';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { MqttSourceConfig } from '../../config/types.ts';
import { startTcpProxy } from '../fakes/tcpProxy.ts';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.ts';
import type { Mosquitto } from '../support/mosquitto.ts';
import { collect, commitAtOnce } from '../support/mqttSource.ts';
import type { Collected } from '../support/mqttSource.ts';

const TOPIC = 'reactor/R101/sensor/level';
const PROCESS = new URL('../support/mqttSourceProcess.ts', import.meta.url).pathname;
const MB = 1_000_000;

interface State {
  /** Events emitted. */
  readonly count: number;
  readonly distinct: number;
  /** Bytes. */
  readonly rss: number;
  readonly held: number;
  readonly reconnects: number;
}

interface SourceProcess {
  /** Gives a command and resolves to the state after it. */
  say(command: 'pause' | 'resume' | 'commit' | 'state'): Promise<State>;
}

async function spawnSource(config: Partial<MqttSourceConfig>): Promise<SourceProcess> {
  const child = spawn(process.execPath, ['--expose-gc', PROCESS, JSON.stringify(config), 'quiet'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  const waiting: ((state: State) => void)[] = [];
  const connected = Promise.withResolvers<undefined>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'connected') connected.resolve(undefined);
      else if (line.startsWith('state ')) waiting.shift()?.(JSON.parse(line.slice(6)) as State);
    }
  });
  await connected.promise;
  return {
    say: (command) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${command}\n`);
      }),
  };
}

async function mosquitto(): Promise<Mosquitto> {
  const broker = await startMosquitto({
    packetLog: 'none',
    // No window of its own, so that only the receiver stops it.
    config: ['allow_anonymous true', 'max_inflight_messages 0'],
  });
  onTestFinished(() => broker.stop());
  return broker;
}

const until = async (
  source: SourceProcess,
  holds: (state: State) => boolean,
  timeoutMs = 60_000,
): Promise<State> => {
  const started = performance.now();
  for (;;) {
    const state = await source.say('state');
    if (holds(state)) return state;
    if (performance.now() - started > timeoutMs) throw new Error(`in vain: ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

describe.skipIf(!hasMosquitto()).each([
  [4, 0],
  [4, 1],
  [5, 0],
  [5, 1],
] as const)('a pause, MQTT version %i, QoS %i (needs mosquitto)', (protocolVersion, qos) => {
  it('stops the stream in bounded memory, outlasts the keep-alive, and loses and doubles nothing', async () => {
    const broker = await mosquitto();
    const source = await spawnSource({ url: broker.url, protocolVersion, qos, keepAliveS: 1 });
    const publisher = await connectAsync(broker.url);
    onTestFinished(() => publisher.endAsync(true));
    let sent = 0;
    const padding = 'x'.repeat(1000);
    const publish = async (count: number): Promise<void> => {
      for (const end = sent + count; sent < end;) {
        const slice = Array.from({ length: Math.min(500, end - sent) }, () => {
          sent += 1;
          return publisher.publishAsync(TOPIC, `{"value":${sent},"padding":"${padding}"}`, { qos });
        });
        await Promise.all(slice);
      }
    };
    await source.say('commit');
    // Until the subscription is in force, nothing arrives; what then does must be all.
    while ((await source.say('state')).count === 0) await publisher.publishAsync(TOPIC, '-1', { qos: 0 });
    await publish(5000);
    await until(source, ({ distinct }) => distinct === 5001);

    const paused = await source.say('pause');
    const pausedAt = performance.now();
    await publish(30_000);
    await vi.waitFor(() => expect(performance.now() - pausedAt).toBeGreaterThan(4000), 10_000);
    const held = await source.say('state');
    expect(held.count).toBe(paused.count);
    expect(held.held - paused.held).toBeLessThan(2 * MB);
    expect(held.rss - paused.rss).toBeLessThan(15 * MB);

    await source.say('resume');
    const after = await until(source, ({ distinct }) => distinct === sent + 1);
    expect(after.count - after.distinct).toBe(paused.count - paused.distinct);
    expect(after.reconnects).toBe(0);
  }, 120_000);
});

it.skipIf(!hasMosquitto())(
  'a store that does not commit stops an MQTT 5 broker at receiveMaximum (needs mosquitto)',
  async () => {
    const broker = await mosquitto();
    const sink = collect({ url: broker.url, receiveMaximum: 7 });
    onTestFinished(() => sink.source.close());
    const publisher = await connectAsync(broker.url);
    onTestFinished(() => publisher.endAsync(true));
    await vi.waitFor(() => {
      publisher.publish(TOPIC, '-1');
      expect(sink.events.length).toBeGreaterThan(0);
    }, 10_000);
    const values = (): (number | null)[] => sink.values().filter((value) => value !== -1);
    await Promise.all(
      Array.from({ length: 3000 }, (_, i) => publisher.publishAsync(TOPIC, String(i), { qos: 1 })),
    );
    // QoS 0 passes by the window, so its arrival shows that the broker is through with the others.
    await publisher.publishAsync(TOPIC, '5000', { qos: 0 });
    await vi.waitFor(() => expect(values()).toContain(5000), 10_000);
    expect(values()).toEqual([0, 1, 2, 3, 4, 5, 6, 5000]);
    const timer = setInterval(() => sink.source.commit(sink.events.length), 1);
    onTestFinished(() => clearInterval(timer));
    await vi.waitFor(() => expect(values()).toHaveLength(3001), 30_000);
    expect(new Set(values()).size).toBe(3001);
    expect(sink.source.status()).toMatchObject({ reconnects: 0, redelivered: 0 });
  },
  60_000,
);

describe.skipIf(!hasMosquitto()).each([4, 5] as const)(
  'a connection that is half open, MQTT version %i (needs mosquitto)',
  (protocolVersion) => {
    const connected = async (broker: Mosquitto, port: number): Promise<Collected> => {
      const url = `mqtt://127.0.0.1:${port}`;
      const sink = collect({ url, protocolVersion, keepAliveS: 1 }, commitAtOnce);
      onTestFinished(() => sink.source.close());
      await vi.waitFor(() => expect(sink.source.status().connected).toBe(true), 10_000);
      const publisher = await connectAsync(broker.url);
      onTestFinished(() => publisher.endAsync(true));
      await vi.waitFor(() => {
        publisher.publish(TOPIC, '1');
        expect(sink.events.length).toBeGreaterThan(0);
      }, 10_000);
      return sink;
    };

    it.each(['while it is read', 'in a pause'])('is noticed within 1.5 keep-alives: %s', async (when) => {
      const broker = await mosquitto();
      const proxy = await startTcpProxy(broker.port);
      onTestFinished(() => proxy.close());
      const sink = await connected(broker, proxy.port);
      if (when === 'in a pause') sink.source.pause();
      proxy.freeze();
      proxy.thaw();
      if (when === 'in a pause') {
        const pausedAt = performance.now();
        await vi.waitFor(() => expect(performance.now() - pausedAt).toBeGreaterThan(2500), 10_000);
        expect(sink.source.status().reconnects).toBe(0);
        sink.source.resume();
      }
      const since = performance.now();
      await vi.waitFor(() => expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 1 }), {
        timeout: 10_000,
        interval: 10,
      });
      expect(performance.now() - since).toBeGreaterThan(700);
      // 1.5 s, and half a second for a machine that is busy.
      expect(performance.now() - since).toBeLessThan(2000);
      expect(sink.warnings.join()).toContain('nothing heard for 1.25 s');
    });
  },
);

it.skipIf(!hasMosquitto())('a broker that dies in a pause is noticed (needs mosquitto)', async () => {
  const broker = await mosquitto();
  const sink = collect({ url: broker.url, keepAliveS: 2 }, commitAtOnce);
  onTestFinished(() => sink.source.close());
  await vi.waitFor(() => expect(sink.source.status().connected).toBe(true), 10_000);
  sink.source.pause();
  broker.signal('SIGKILL');
  await vi.waitFor(() => expect(sink.source.status().connected).toBe(false), 10_000);
  await broker.begin();
  await vi.waitFor(
    () => expect(sink.source.status()).toMatchObject({ connected: true, reconnects: 1 }),
    10_000,
  );
});
