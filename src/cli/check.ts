import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { ConfigError, located } from '../../config/problems.ts';
import { openTwins } from '../twin/registry.ts';

/** `rxtwin check --config FILE... [--print]` */
export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .description('validate configuration files and tell every problem; exit code 2 if there is one')
    .requiredOption('-c, --config <files...>', 'configuration files; later ones override earlier ones')
    .option('--print', 'print the effective configuration with where each value came from, secrets masked')
    .action(async (options: { config: string[]; print?: true }) => {
      const loaded = loadConfig(options.config, process.env);
      await openTwins(loaded.config).catch((error: unknown) => {
        throw error instanceof ConfigError ? located(error, loaded.sources) : error;
      });
      for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
      process.stdout.write(options.print ? printed(loaded) : `${summary(options.config, loaded)}\n`);
    });
}

function summary(files: readonly string[], { config }: LoadedConfig): string {
  const assets = Object.values(config.assets);
  const sensors = assets.reduce((sum, asset) => sum + Object.keys(asset.sensors).length, 0);
  const counts = [
    count(assets.length, 'asset'),
    count(sensors, 'sensor'),
    count(assets.filter((asset) => asset.model !== null).length, 'twin'),
    count(config.sources.length, 'source'),
  ];
  return `${files.join(', ')}: ok (${counts.join(', ')})`;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** One line a value: key, value, and its source in a column of its own. */
function printed({ sources }: LoadedConfig): string {
  const lines = sources.map(({ key, value, source }) => ({ setting: `${key}: ${value}`, source }));
  const width = Math.min(72, Math.max(0, ...lines.map(({ setting }) => setting.length)));
  return lines.map(({ setting, source }) => `${setting.padEnd(width)}  # ${source}\n`).join('');
}
