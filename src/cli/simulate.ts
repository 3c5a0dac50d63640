import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { ConfigError } from '../../config/problems.ts';
import type { PlantConfig } from '../../config/types.ts';
import { browseNameOf } from '../plant/feed.ts';
import { parseFault } from '../plant/faults.ts';
import type { PlantFault } from '../plant/faults.ts';
import { checkFaults } from '../plant/plant.ts';
import { loadScenario } from '../plant/process/parseScenario.ts';
import { runPlant } from '../plant/runPlant.ts';
import type { RunningPlant } from '../plant/runPlant.ts';

interface SimulateOptions {
  readonly config: readonly string[];
  readonly rate?: number;
  readonly scenario?: string;
  readonly fault: readonly PlantFault[];
}

const MAX_RATE = 1000;

/** Adds `simulate`: the plant of a configuration alone, until SIGINT or SIGTERM. */
export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('run the simulated plant alone: publish over MQTT and serve OPC UA')
    .requiredOption(
      '-c, --config <file...>',
      'configuration with a plant section; later files override earlier ones',
    )
    .option('--rate <n>', 'samples a second of each sensor, instead of plant.intervalMs', parseRate)
    .option('--scenario <file>', 'run this scenario of a continuous reactor, instead of plant.scenario')
    .option(
      '--fault <fault>',
      'kind:asset/sensor:startS:durationS[:size], may be repeated; kinds: spike, stuck, dropout, bias, drift, noise, bad. ' +
        'With scripted faults there are no random ones',
      collectFault,
      [],
    )
    .action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
  const { config } = loadConfig(options.config, process.env);
  const plantConfig = effectivePlant(config.plant, options);
  const plant = await runPlant(plantConfig, {
    now: () => Date.now(),
    faults: knownFaults(options.fault, plantConfig),
    everyS: options.rate === undefined ? null : 1 / options.rate,
    sprinkle: options.fault.length === 0,
    onError: (error) => process.stderr.write(`plant: ${String(error)}\n`),
  });
  process.stdout.write(`${describe(plantConfig, plant)}\n`);
  await terminated();
  await plant.close();
}

function effectivePlant(plant: PlantConfig | null, { config, rate, scenario }: SimulateOptions): PlantConfig {
  if (plant === null) {
    const problem = 'null, expected the settings of the plant to simulate';
    throw new ConfigError([{ file: config.join(', '), key: 'plant', problem }]);
  }
  return {
    ...plant,
    ...(rate === undefined ? {} : { intervalMs: 1000 / rate }),
    ...(scenario === undefined ? {} : { scenario }),
  };
}

/** What the plant would refuse once it runs is wrong usage here. */
function knownFaults(
  faults: readonly PlantFault[],
  { assets, scenario }: PlantConfig,
): readonly PlantFault[] {
  const sensors = scenario === '' ? undefined : Object.keys(loadScenario(scenario).sensors);
  try {
    checkFaults(assets, faults, sensors);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ConfigError([{ file: '--fault', key: '', problem }]);
  }
  return faults;
}

function describe(config: PlantConfig, plant: RunningPlant): string {
  const { assets, intervalMs, publishUrl, publishTruth, scenario } = config;
  const parts = [
    scenario === ''
      ? `Plant of ${assets.join(', ')}, a sample of each sensor every ${intervalMs} ms`
      : `Plant of ${assets.join(', ')}, scenario ${scenario}`,
  ];
  if (plant.brokerPort !== null) parts.push(`MQTT broker: mqtt://127.0.0.1:${plant.brokerPort}`);
  if (publishUrl !== '') {
    const topics = `reactor/<asset>/sensor/<sensor>${publishTruth ? ', truth/<asset>' : ''}`;
    parts.push(`publishes to ${withoutPassword(publishUrl)}: ${topics}`);
  }
  if (plant.opcuaEndpoint !== null) {
    const names = plant.plant.sensors.map(({ sensor }) => browseNameOf(sensor)).join('|');
    parts.push(`OPC UA: ${plant.opcuaEndpoint}, ns=2;s=Reactor.<asset>.<${names}>.<PV|SV>`);
  }
  return parts.join('\n  ');
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.href;
}

async function terminated(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const done = (): void => {
    resolve(undefined);
  };
  process.once('SIGINT', done);
  process.once('SIGTERM', done);
  await promise;
  process.off('SIGINT', done);
  process.off('SIGTERM', done);
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (text.trim() !== '' && rate > 0 && rate <= MAX_RATE) return rate;
  throw new InvalidArgumentError(`expected a number > 0 and <= ${MAX_RATE}.`);
}

function collectFault(text: string, faults: readonly PlantFault[]): readonly PlantFault[] {
  try {
    return [...faults, parseFault(text)];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
