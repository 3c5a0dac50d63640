import type { InfluxConfig } from '../../../config/types.ts';
import { createForwarder } from '../../../src/store/influx/forwarder.ts';
import type { Forwarder, ForwardStore } from '../../../src/store/influx/forwarder.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { startFakeInflux } from '../../fakes/influxServer.ts';
import type { FakeInflux } from '../../fakes/influxServer.ts';

export type InfluxOverrides = Partial<InfluxConfig>;

export const influxConfig = (over: InfluxOverrides): InfluxConfig => ({
  url: 'http://127.0.0.1:1',
  token: 's3cret-token',
  org: 'plant org',
  bucket: 'raw & more',
  batchRows: 10,
  maxWaitMs: 0,
  timeoutMs: 2000,
  retry: { minMs: 5, maxMs: 20 },
  backlog: { maxRows: 1_000_000, policy: 'dropOldest' },
  catchUpShare: 1,
  ...over,
});

export interface ForwardRig {
  readonly server: FakeInflux;
  /** Everything that was logged, as JSON lines. */
  readonly logged: string[];
  /** `true` and `false` of onBacklog. */
  readonly full: boolean[];
  /** Added to the clock. */
  clockOffsetMs: number;
  start(store: ForwardStore, over?: InfluxOverrides): Forwarder;
  close(): Promise<void>;
}

/** Forwarders and the server that they write to. */
export async function forwardRig(): Promise<ForwardRig> {
  const server = await startFakeInflux();
  const forwarders: Forwarder[] = [];
  const logged: string[] = [];
  const full: boolean[] = [];
  const write = (detail: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(detail)}`);
  };
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  const rig: ForwardRig = {
    server,
    logged,
    full,
    clockOffsetMs: 0,
    start(store, over = {}) {
      const forwarder = createForwarder({
        config: influxConfig({ url: server.url, ...over }),
        store,
        now: () => Date.now() + rig.clockOffsetMs,
        log,
        onBacklog: (now) => full.push(now),
      });
      forwarders.push(forwarder);
      return forwarder;
    },
    async close() {
      await Promise.all(forwarders.map((forwarder) => forwarder.stop()));
      await server.close();
    },
  };
  return rig;
}
