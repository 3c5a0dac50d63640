import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { ConfigError, located } from '../../config/problems.ts';
import type { Config } from '../../config/types.ts';
import { startService } from '../service.ts';
import type { Service } from '../service.ts';
import { createLog } from '../telemetry/log.ts';
import type { Log } from '../telemetry/log.ts';
import { CliError } from './exit.ts';

/** `rxtwin run --config FILE...` */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('run the service until SIGINT or SIGTERM')
    .requiredOption('-c, --config <files...>', 'configuration files; later ones override earlier ones')
    .action(async (options: { config: string[] }) => {
      const { config, warnings, sources } = loadConfig(options.config, process.env);
      const log: Log = createLog(config.log.level);
      for (const warning of warnings) log.warn({}, warning);
      await run(config, log).catch((error: unknown) => {
        throw error instanceof ConfigError ? located(error, sources) : error;
      });
    });
}

async function run(config: Config, log: Log): Promise<void> {
  // Signals count from the first moment on: one that comes while the service starts stops it once it has.
  const stopRequested = firstSignal(log);
  // Side by side: the sources wait for a plant that is not there yet, as they would for any other.
  const [plant, service] = await Promise.allSettled([startPlant(config, log), startService(config, log)]);
  try {
    if (plant.status === 'rejected') throw plant.reason;
    if (service.status === 'rejected') throw service.reason;
    process.stderr.write(whereToLook(config, service.value));
    const failure = await Promise.race([stopRequested, service.value.failed.then((error) => ({ error }))]);
    if (failure !== undefined) throw new CliError(`error: ${messageOf(failure.error)}`);
  } finally {
    if (service.status === 'fulfilled') await service.value.stop();
    if (plant.status === 'fulfilled') await plant.value?.close();
  }
}

async function startPlant(config: Config, log: Log): Promise<{ close(): Promise<void> } | null> {
  if (config.plant === null) return null;
  const { runPlant } = await import('../plant/runPlant.ts');
  return runPlant(config.plant, {
    now: () => Date.now(),
    onError: (error) => log.warn({ err: error }, 'A step of the simulated plant failed'),
  });
}

/** Resolves at the first SIGINT or SIGTERM; the second ends the process at once, with exit code 1. */
function firstSignal(log: Log): Promise<undefined> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping) {
        log.error({ signal }, 'Second signal: ending at once');
        process.exit(1);
      }
      stopping = true;
      log.info({ signal }, 'Stopping; a second signal ends at once');
      resolve(undefined);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

function whereToLook(config: Config, { address }: Service): string {
  const [asset] = Object.keys(config.assets);
  const lines: readonly (readonly [what: string, where: string])[] = [
    ['live page', `${address}/`],
    ['API', `${address}/docs`],
    ...(asset === undefined ? [] : [['a twin', `${address}/api/assets/${asset}/twin`] as const]),
    ['metrics', `${address}/metrics`],
  ];
  return `rxtwin is running\n${lines.map(([what, where]) => `  ${what.padEnd(10)} ${where}\n`).join('')}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
