import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startTcpProxy } from '../../test/fakes/tcpProxy.ts';
import type { TcpProxy } from '../../test/fakes/tcpProxy.ts';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { OpcuaPlant } from '../support/opcuaPlant.ts';
import { serviceHome, startService } from '../support/serviceProcess.ts';
import type { ServiceProcess } from '../support/serviceProcess.ts';
import { storeFigures } from '../support/fuzzSql.ts';
import { sleep, until } from '../support/wait.ts';

const ASSET = 'OPC';
const NODES = ['T0', 'T1', 'T2', 'T3'];
const EVERY_MS = 20;
const QUIET_MS = 2000;
const LONG_MS = 5000;

interface Bench {
  readonly plant: OpcuaPlant;
  readonly proxy: TcpProxy;
  readonly outageMs: number;
  /** A certificate of its own; true: the service trusts it beforehand. */
  readonly restartServer: (pki: string) => Promise<unknown>;
  readonly service: () => ServiceProcess;
  readonly restartService: () => Promise<void>;
}

interface Fault {
  readonly fault: string;
  /** Takes longer than a short run has. */
  readonly long?: boolean;
  readonly play: (bench: Bench) => Promise<void>;
}

const FAULTS: readonly Fault[] = [
  {
    fault: 'OPC UA: connection cut 3 times',
    async play({ proxy, outageMs, ...bench }) {
      for (let i = 0; i < 3; i += 1) {
        proxy.cut();
        await sleep(outageMs / 2);
        await connected(bench.service());
      }
    },
  },
  {
    fault: 'OPC UA: half-open connection',
    async play({ proxy, outageMs, ...bench }) {
      proxy.freeze();
      await until('the service to notice', async () =>
        (await isConnected(bench.service())) ? undefined : true,
      );
      // An attempt that begins in the silence would take its full time-out.
      if (outageMs > LONG_MS) await sleep(outageMs / 2);
      proxy.thaw();
      await connected(bench.service());
    },
  },
  {
    fault: 'OPC UA: server restarted',
    async play({ plant, outageMs, ...bench }) {
      await plant.stopServer();
      await sleep(outageMs);
      await bench.restartServer('first');
      await connected(bench.service());
    },
  },
  {
    fault: 'OPC UA: certificate of the server changed (trusted before)',
    async play({ plant, outageMs, ...bench }) {
      await plant.stopServer();
      await sleep(outageMs);
      await bench.restartServer('second');
      await connected(bench.service());
    },
  },
  {
    fault: 'OPC UA: service killed and started again',
    async play({ outageMs, ...bench }) {
      bench.service().kill();
      await bench.service().ended;
      await sleep(outageMs);
      await bench.restartService();
    },
  },
  {
    fault: 'OPC UA: node removed and added again',
    long: true,
    async play({ plant, ...bench }) {
      const [node = ''] = NODES;
      plant.remove(node);
      await until('the node to be missed', async () =>
        (await problems(bench.service())) ? true : undefined,
      );
      plant.addAgain(node);
      await until('the node to work', async () => ((await problems(bench.service())) ? undefined : true), {
        timeoutMs: 90_000,
      });
    },
  },
];

const sources = (service: ServiceProcess): Promise<string> => service.text('/api/sources').catch(() => '');
const isConnected = async (service: ServiceProcess): Promise<boolean> =>
  (await sources(service)).includes('"connected":true');
const problems = async (service: ServiceProcess): Promise<boolean> =>
  !(await sources(service)).includes('"problems":{}');

async function connected(service: ServiceProcess): Promise<void> {
  const ask = async (): Promise<true | undefined> => ((await isConnected(service)) ? true : undefined);
  await until('the service to be connected to the OPC UA server', ask, { timeoutMs: 90_000, everyMs: 50 });
}

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  const { short, folder } = options;
  const pki = join(folder, 'client');
  const trusted = join(pki, 'trusted', 'certs');
  mkdirSync(trusted, { recursive: true });
  const plant = new OpcuaPlant(NODES, EVERY_MS);
  const start = async (name: string, port: number): Promise<number> => {
    const server = await plant.startServer(port, join(folder, `server-${name}`));
    copyFileSync(server.certificateFile, join(trusted, `${name}.pem`));
    return server.port;
  };
  // Both certificates are made, and trusted, before anything begins.
  await start('second', 0);
  await plant.stopServer();
  const port = await start('first', 0);
  const proxy = await startTcpProxy(port);
  const home = serviceHome(join(folder, 'service'), {
    assets: { [ASSET]: { sensors: Object.fromEntries(NODES.map((node) => [node, { order: {} }])) } },
    sources: [
      {
        id: 'plc',
        type: 'opcua',
        endpoint: `opc.tcp://127.0.0.1:${proxy.port}`,
        nodes: Object.fromEntries(NODES.map((node) => [`${ASSET}/${node}`, `ns=2;s=${node}`])),
        publishingIntervalMs: 100,
        samplingIntervalMs: 0,
        // Less than what an outage brings, so that the history has to help.
        queueSize: short ? 40 : 500,
        watchdogMs: 1500,
        securityMode: 'SignAndEncrypt',
        securityPolicy: 'Basic256Sha256',
        certificatesFolder: pki,
        trigger: 'statusValueTimestamp',
        reconnect: { minMs: 200, maxMs: 1000 },
      },
    ],
  });
  let service = startService(home);
  try {
    await service.ready();
    plant.start();
    const bench: Bench = {
      plant,
      proxy,
      outageMs: short ? 1000 : 10_000,
      service: () => service,
      restartServer: (name) => start(name, port),
      async restartService() {
        service = startService(home);
        await service.ready();
        await connected(service);
      },
    };
    const phases: { readonly fault: string; readonly from: number; readonly to: number }[] = [];
    for (const { fault, play } of FAULTS.filter(({ long }) => !short || long !== true)) {
      await sleep(short ? 500 : 3000);
      const from = plant.last;
      await play(bench);
      await sleep(500);
      phases.push({ fault, from, to: plant.last });
    }
    await sleep(1000);
    plant.stand();
    await settled(service, plant);
    const exitCode = await service.stop();
    const rows: FaultRow[] = [];
    for (const { fault, from, to } of phases) {
      const found = await storeFigures(
        home.storePath,
        `SELECT count(*)::DOUBLE AS rows, count(DISTINCT (sensor, received_value))::DOUBLE AS stored,
          (SELECT count(*) FROM dead_letters)::DOUBLE AS letters FROM readings
          WHERE asset = '${ASSET}' AND source IS NOT NULL AND received_value > ${from} AND received_value <= ${to}`,
      );
      const { stored = 0, letters = 0 } = found;
      const sent = (to - from) * NODES.length;
      const duplicated = (found['rows'] ?? 0) - stored;
      rows.push({
        fault,
        sent,
        stored,
        lost: sent - stored,
        duplicated,
        twin: null,
        passed: stored === sent && duplicated === 0 && letters === 0 && exitCode === 0,
        note: `${NODES.length} nodes, a change every ${EVERY_MS} ms, all that was measured, also while nobody could see it; ${letters} dead letters`,
      });
    }
    return rows;
  } finally {
    if (service.alive()) service.kill();
    await plant.stop();
    await proxy.close();
  }
}

/** Until the last values are there and nothing more is fetched from the history. */
async function settled(service: ServiceProcess, plant: OpcuaPlant): Promise<void> {
  let last = { count: -1, since: performance.now() };
  await until(
    'the service to have the last values and what was missed',
    async () => {
      const count = await service.metric('rxtwin_readings_total').catch(() => -1);
      if (count !== last.count) last = { count, since: performance.now() };
      return performance.now() - last.since > QUIET_MS && plant.last > 0 ? true : undefined;
    },
    { timeoutMs: 300_000, everyMs: 50 },
  );
}

export default [
  {
    name: 'opcua',
    about:
      'An OPC UA server (node-opcua, signed and encrypted) with changing values and a history is cut off, goes silent, is ' +
      'restarted, changes its certificate, loses a node and gets it back; the service is killed. What was measured meanwhile ' +
      'has to come from the server’s queue or from its history, once.',
    needs: [],
    run,
  },
] satisfies readonly Scenario[];
