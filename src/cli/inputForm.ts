import type { Command } from 'commander';
import { localTime } from '../sources/replay/localTime.ts';
import type { WideOptions } from '../sources/replay/header.ts';
import { isReadingName } from '../sources/replay/records.ts';
import { CliError } from './exit.ts';
import type { InputForm } from './replayInputs.ts';

/** How a recording is laid out, as the commands that read one take it. */
export interface InputFormOptions {
  readonly wide?: true;
  readonly asset?: string;
  readonly time?: string;
  readonly map?: string;
  readonly separator?: string;
  readonly timeZone: string;
}

export const addInputOptions = (command: Command): Command =>
  command
    .option('--wide', 'the inputs have one column a sensor; needs --asset, --time and --map')
    .option('--asset <name>', 'asset of a wide input')
    .option('--time <column>', 'column with the time of a wide input')
    .option('--map <columns>', 'columns of a wide input and their sensors: "Column=sensor,Column=sensor"')
    .option(
      '--separator <character>',
      'between CSV cells; default: , or ; or tab, whichever the header has most of',
    )
    .option('--time-zone <name>', 'IANA time zone of times without one', 'UTC');

/** @throws CliError, exit code 2, that names the option. */
export const inputForm = (options: InputFormOptions): InputForm => ({
  wide: wideOptions(options),
  separator: separatorOf(options.separator),
  timeZone: timeZoneOf(options.timeZone),
});

function wideOptions({ wide, asset, time, map }: InputFormOptions): WideOptions | null {
  const given = { asset, time, map };
  const needed = Object.entries(given).map(([name, value]) => ({
    name: `--${name}`,
    isGiven: value !== undefined,
  }));
  if (wide === undefined) {
    const stray = needed.filter(({ isGiven }) => isGiven).map(({ name }) => name);
    if (stray.length > 0) throw new CliError(`${stray.join(', ')}: only with --wide`, 2);
    return null;
  }
  if (asset === undefined || time === undefined || map === undefined) {
    const missing = needed.filter(({ isGiven }) => !isGiven).map(({ name }) => name);
    throw new CliError(`--wide: needs ${missing.join(', ')} too`, 2);
  }
  if (!isReadingName(asset))
    throw new CliError(`--asset: '${asset}' is not valid, expected a name without /`, 2);
  return { asset, time: time.trim(), map: columnMap(map) };
}

/** A column's name may hold `=`, a sensor's not. */
function columnMap(text: string): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    const column = part.slice(0, Math.max(at, 0)).trim();
    const sensor = part.slice(at + 1).trim();
    if (column === '' || !isReadingName(sensor)) {
      throw new CliError(`--map: '${part}' is not valid, expected Column=sensor`, 2);
    }
    if (columns.has(column)) throw new CliError(`--map: the column ${column} is mapped twice`, 2);
    if ([...columns.values()].includes(sensor)) {
      throw new CliError(`--map: the sensor ${sensor} has two columns`, 2);
    }
    columns.set(column, sensor);
  }
  return columns;
}

function separatorOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const separator = text === '\\t' || text === 'tab' ? '\t' : text;
  if (separator.length === 1 && !/["\r\n]/.test(separator)) return separator;
  throw new CliError(`--separator: '${text}' is not valid, expected one character (\\t for a tab)`, 2);
}

function timeZoneOf(timeZone: string): string {
  try {
    localTime(timeZone);
    return timeZone;
  } catch {
    throw new CliError(
      `--time-zone: '${timeZone}' is not valid, expected an IANA name such as Europe/Berlin`,
      2,
    );
  }
}
