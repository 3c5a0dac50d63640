import { join } from 'node:path';
import { startTcpProxy } from '../../test/fakes/tcpProxy.ts';
import type { TcpProxy } from '../../test/fakes/tcpProxy.ts';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { audit } from '../support/audit.ts';
import { differences, snapshotOf } from '../support/content.ts';
import type { Differences } from '../support/content.ts';
import { seconds } from '../support/killing.ts';
import { createPlan } from '../support/plan.ts';
import type { Plan } from '../support/plan.ts';
import { randomOf } from '../support/random.ts';
import { undisturbed } from '../support/reference.ts';
import { startReplayingBroker } from '../support/replayingBroker.ts';
import type { Message, Playing } from '../support/replayingBroker.ts';
import { rowsOf } from '../support/rows.ts';
import { serviceHome, startService } from '../support/serviceProcess.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import { median, sleep, until, worst } from '../support/wait.ts';

const ASSETS = 10;
/** mosquitto saves its sessions so often; what it acknowledged since, it loses when it is killed. */
const AUTOSAVE_S = 1;
/** After each new connection the publisher sends so much again: what the broker may have lost, and more. */
const REWIND_S = 3;

async function brokerKilled(options: FaultOptions): Promise<FaultRow> {
  const times = options.short ? 3 : 20;
  const random = randomOf(options.seed);
  const traffic = await startTraffic(options, {
    name: 'killed',
    rate: options.rate,
    assets: ASSETS,
    brokerLines: [`autosave_interval ${AUTOSAVE_S}`],
    rewindOnReconnect: REWIND_S * options.rate,
  });
  try {
    const { broker, publisher } = traffic;
    const backMs: number[] = [];
    for (let i = 0; i < times; i += 1) {
      // The session has to have been saved once, or it is the broker that forgets the service.
      await sleep(AUTOSAVE_S * 2500 + random() * 1000);
      await broker.end('SIGKILL');
      await sleep(random() * 1500);
      const from = publisher.acknowledged();
      const started = performance.now();
      await broker.start();
      await publisher.reached(from + options.rate);
      await traffic.service().ready();
      backMs.push(performance.now() - started);
    }
    const duplicates = await traffic.service().metric('rxtwin_drops_total', 'reason="duplicate"');
    const end = await traffic.end(300_000);
    return trafficRow(`broker killed with -9 and started again, ${times} times`, end, [
      `readings flow again after: median ${seconds(median(backMs))}, worst ${seconds(worst(backMs))}`,
      `${duplicates} readings that the publisher had to send again were recognised`,
    ]);
  } finally {
    await traffic.abandon();
  }
}

interface ProxyFault {
  readonly name: string;
  readonly fault: string;
  readonly keepAliveS: number;
  /** Does its harm and returns what is worth noting. */
  readonly harm: (proxy: TcpProxy, reconnects: () => Promise<number>) => Promise<readonly string[]>;
}

/** Faults of the network between broker and service. */
async function behindProxy(
  options: FaultOptions,
  { name, fault, keepAliveS, harm }: ProxyFault,
): Promise<FaultRow> {
  let proxy: TcpProxy | undefined;
  const traffic = await startTraffic(options, {
    name,
    rate: options.rate,
    assets: ASSETS,
    source: { keepAliveS },
    async serviceUrl({ port }) {
      proxy = await startTcpProxy(port);
      return `mqtt://127.0.0.1:${proxy.port}`;
    },
  });
  try {
    if (proxy === undefined) throw new Error('there is no proxy');
    await traffic.publisher.reached(options.rate / 2);
    const reconnects = (): Promise<number> => traffic.service().metric('rxtwin_source_reconnects_total');
    const notes = await harm(proxy, reconnects);
    return trafficRow(fault, await traffic.end(300_000), notes);
  } finally {
    await traffic.abandon();
    await proxy?.close();
  }
}

function connectionCut(options: FaultOptions): Promise<FaultRow> {
  const times = options.short ? 10 : 100;
  const random = randomOf(options.seed + 1);
  return behindProxy(options, {
    name: 'cut',
    fault: `connection cut, ${times} times`,
    keepAliveS: 60,
    async harm(proxy, reconnects) {
      const backMs: number[] = [];
      for (let i = 0; i < times; i += 1) {
        await sleep(random() * 400);
        const before = await reconnects();
        const started = performance.now();
        proxy.cut();
        await connectedAnew(reconnects, before);
        backMs.push(performance.now() - started);
      }
      return [`connected anew after: median ${seconds(median(backMs))}, worst ${seconds(worst(backMs))}`];
    },
  });
}

async function connectedAnew(reconnects: () => Promise<number>, before: number): Promise<void> {
  const more = async (): Promise<true | undefined> => ((await reconnects()) > before ? true : undefined);
  await until('the service to connect anew', more);
}

function halfOpen(options: FaultOptions): Promise<FaultRow> {
  const times = options.short ? 2 : 10;
  const keepAliveS = 2;
  return behindProxy(options, {
    name: 'halfOpen',
    fault: `half-open connection: nothing passes and nothing is closed, ${times} times`,
    keepAliveS,
    async harm(proxy, reconnects) {
      const noticedMs: number[] = [];
      for (let i = 0; i < times; i += 1) {
        await sleep(1000);
        const before = await reconnects();
        const started = performance.now();
        proxy.freeze();
        await sleep(200);
        // From now on new connections pass; the one that there is stays dead.
        proxy.thaw();
        await connectedAnew(reconnects, before);
        noticedMs.push(performance.now() - started);
      }
      return [
        `noticed and connected anew after: median ${seconds(median(noticedMs))}, worst ${seconds(worst(noticedMs))}, ` +
          `keep-alive ${keepAliveS} s`,
      ];
    },
  });
}

/** All messages of a session, three times: new, again after a new connection, and again after a restart of the service. */
async function redelivered(options: FaultOptions, name: string, again: Playing): Promise<FaultRow> {
  const count = options.short ? 5000 : 50_000;
  const plan = createPlan({ assets: ASSETS, seed: options.seed });
  const messages = messagesOf(plan, count);
  const broker = await startReplayingBroker();
  const reconnect = { minMs: 50, maxMs: 500 };
  const home = serviceHome(join(options.folder, name), {
    ...plan.config,
    sources: [{ id: 'plant', type: 'mqtt', url: broker.url, protocolVersion: 4, reconnect }],
  });
  let service = startService(home);
  try {
    await service.ready();
    await broker.play(messages, { dup: false, firstPacketId: 1 });
    const reference = await undisturbed(home.configFile, plan, count);
    const shown = [await snapshotOf(service, plan)];
    await broker.reconnect();
    await broker.play(messages, again);
    shown.push(await snapshotOf(service, plan));
    // What one process has seen, the next one must know.
    await service.stop();
    service = startService(home);
    await service.ready();
    await broker.play(messages, again);
    shown.push(await snapshotOf(service, plan));
    const exitCode = await service.stop();
    const found = await audit(home.storePath, plan, count, reference);
    const different = shown.map((each) => differences(each, reference.snapshot)).filter(isDifferent);
    const end = {
      audit: found,
      twin: different.length === 0 ? ('identical' as const) : ('different' as const),
      difference: different[0]?.example ?? found.example,
      exitCode,
    };
    const marked = again.dup ? 'marked as repetition' : 'unmarked and under other packet ids';
    return trafficRow(`broker sends everything again, ${marked}`, end, [
      `${2 * messages.length} repetitions, half of them after a restart of the service`,
      'twins compared before and after each',
    ]);
  } finally {
    if (service.alive()) service.kill();
    await broker.close();
  }
}

const isDifferent = ({ twins, latest }: Differences): boolean => twins + latest > 0;

function messagesOf(plan: Plan, count: number): readonly Message[] {
  const messages: Message[] = [];
  for (let n = 0; n < count; n += 1) {
    const reading = plan.reading(n);
    if (reading === null) continue;
    const { asset, sensor, value, unit, timestamp, quality } = reading;
    messages.push({
      topic: `reactor/${asset}/sensor/${sensor}`,
      payload: JSON.stringify({ value, unit, timestamp, quality }),
    });
  }
  return messages;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'broker',
    needs: ['mosquitto'],
    about: `The broker or the way to it fails while readings come in. *Killed*: mosquitto ends with \`kill -9\` and is started again on what
it has saved. It saves every second, and so loses up to a second of what it has acknowledged: that is the broker's loss, not the
service's, and the publisher makes it good by sending the last three seconds again after each new connection. So every reading
can arrive, and many arrive several times. *Cut*: the TCP connection between broker and service is closed by force. *Half-open*:
packets vanish while both ends believe in the connection, as behind a dead router. *Sends everything again*: a broker written
for this purpose repeats all messages of the session, first after a new connection and once more after a restart of the service.`,
    run: (options) =>
      rowsOf(options, {
        'broker killed': () => brokerKilled(options),
        'connection cut': () => connectionCut(options),
        'half-open connection': () => halfOpen(options),
        'sent again, marked': () => redelivered(options, 'dup', { dup: true, firstPacketId: 1 }),
        'sent again, unmarked': () => redelivered(options, 'new', { dup: false, firstPacketId: 60_001 }),
      }),
  },
];
export default scenarios;
