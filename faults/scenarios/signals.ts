import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { seconds } from '../support/killing.ts';
import { randomOf } from '../support/random.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import { median, sleep, worst } from '../support/wait.ts';

const ASSETS = 10;

async function sigterm(options: FaultOptions): Promise<FaultRow> {
  const times = options.short ? 4 : 20;
  const random = randomOf(options.seed);
  const traffic = await startTraffic(options, { name: 'sigterm', rate: options.rate, assets: ASSETS });
  try {
    await traffic.publisher.reached(options.rate);
    const endedMs: number[] = [];
    let unclean = 0;
    for (let i = 0; i < times; i += 1) {
      await sleep(random() * 1500);
      const started = performance.now();
      if ((await traffic.service().stop()) !== 0) unclean += 1;
      endedMs.push(performance.now() - started);
      await traffic.restart().ready();
    }
    const end = await traffic.end(300_000);
    return trafficRow(
      `SIGTERM under load, ${times} times`,
      end,
      [
        `SIGTERM to end of process: median ${seconds(median(endedMs))}, worst ${seconds(worst(endedMs))}`,
        `${times - unclean} of ${times} with exit code 0`,
      ],
      { 'exit code 0 each time': unclean === 0 },
    );
  } finally {
    await traffic.abandon();
  }
}

const scenarios: readonly Scenario[] = [
  {
    name: 'signals',
    needs: ['mosquitto'],
    about: `The service is ended in order with SIGTERM, as by \`docker stop\` or systemd, at random instants while readings come in, and is started
again at once. It has to commit and acknowledge what it has in hand, end with exit code 0, and go on afterwards as if it had not been
away.`,
    run: async (options) => [await sigterm(options)],
  },
];
export default scenarios;
