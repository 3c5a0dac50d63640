import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { configFolder } from '../config/helpers.ts';

const folder = configFolder();
afterAll(() => folder.remove());

const main = new URL('../../src/main.ts', import.meta.url).pathname;

function rxtwin(args: readonly string[], env: Record<string, string> = {}) {
  const options = { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  const tidy = (text: string): string[] => text.replaceAll(`${folder.path}/`, '').split('\n').slice(0, -1);
  return { status, out: tidy(stdout), err: tidy(stderr) };
}

describe('rxtwin check', () => {
  it('says ok and exits with 0', () => {
    const file = folder.file('good.yaml', 'assets: { R1: { sensors: { ph: {} } } }');
    expect(rxtwin(['check', '--config', file])).toEqual({
      status: 0,
      out: ['good.yaml: ok (1 asset, 1 sensor, 0 twins, 0 sources)'],
      err: [],
    });
  });

  it('asks the models, too, and says where the parameter stands', () => {
    const file = folder.file(
      'model.yaml',
      'assets:\n  R1:\n    sensors: { temperature: {} }\n    model: { type: batchReactor, massKg: -1 }\n',
    );
    expect(rxtwin(['check', '--config', file])).toEqual({
      status: 2,
      out: [],
      err: ['model.yaml:4: assets.R1.model.massKg: -1 is not valid, expected a number > 0'],
    });
  });

  it('tells each problem in a line on stderr and exits with 2', () => {
    const bad = folder.file('bad.yaml', 'api: { port: "80" }\nstor: {}\n');
    const worse = folder.file('worse.yaml', 'log: { level: loud }');
    expect(rxtwin(['check', '--config', bad, worse], { RXTWIN_API_MAX_ROWS: 'x' })).toEqual({
      status: 2,
      out: [],
      err: [
        'bad.yaml:1: api.port: "80" is not valid, expected a whole number >= 0 and <= 65535',
        'bad.yaml:2: stor: unknown key; did you mean "store"?',
        'worse.yaml:1: log.level: "loud" is not valid, expected one of fatal, error, warn, info, debug, trace, silent',
        'env RXTWIN_API_MAX_ROWS: api.maxRows: "x" is not valid, expected a whole number >= 1 and <= 10000000',
      ],
    });
  });

  it('prints what is in force, where it came from, and no secret', () => {
    const file = folder.file(
      'print.yaml',
      'api:\n  port: 81\nsources: [{ id: a, type: mqtt, url: "mqtt://u:hunter2@h", password: hunter2 }]',
    );
    const { status, out, err } = rxtwin(['check', '-c', file, '--print'], { RXTWIN_LOG_LEVEL: 'warn' });
    expect({ status, err }).toEqual({ status: 0, err: [] });
    const lines = out.map((line) => line.replaceAll(/ +/g, ' '));
    expect(lines).toContain('api.port: 81 # print.yaml:2');
    expect(lines).toContain('api.host: "127.0.0.1" # default');
    expect(lines).toContain('log.level: "warn" # env RXTWIN_LOG_LEVEL');
    expect(lines).toContain('sources[0].url: "mqtt://***@h" # print.yaml:3');
    expect(lines).toContain('sources[0].password: *** # print.yaml:3');
    expect(out.join('\n')).not.toContain('hunter2');
  });
});

describe('rxtwin', () => {
  it.each([
    [['chek'], `error: unknown command 'chek' (Did you mean check?)`],
    [['check'], `error: required option '-c, --config <files...>' not specified`],
    [['check', '--config'], `error: option '-c, --config <files...>' argument missing`],
    [['check', '--config', 'x', '--pront'], `error: unknown option '--pront' (Did you mean --print?)`],
    [['--no-such-option'], `error: unknown option '--no-such-option'`],
    [['check', '--config', '/no/such/file'], '/no/such/file: no such file'],
  ])('exits with 2 and one line for %j', (args, line) =>
    expect(rxtwin(args)).toEqual({ status: 2, out: [], err: [line] }),
  );

  it('exits with 2 and shows help without a command', () => {
    const { status, out, err } = rxtwin([]);
    expect({ status, out }).toEqual({ status: 2, out: [] });
    expect(err[0]).toBe('Usage: rxtwin [options] [command]');
  });

  it('has help and version', () => {
    const help = rxtwin(['--help']);
    expect(help.status).toBe(0);
    for (const command of ['run', 'check', 'replay', 'simulate', 'query']) {
      expect(help.out.some((line) => line.trim().startsWith(`${command} `))).toBe(true);
      const own = rxtwin([command, '--help']);
      expect(own).toMatchObject({ status: 0, err: [] });
      expect(own.out[0]).toContain(`Usage: rxtwin ${command}`);
    }
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect(rxtwin(['--version'])).toEqual({
      status: 0,
      out: [/"version": "([^"]+)"/.exec(text)?.[1]],
      err: [],
    });
  });

  it('shows a stack only with --verbose, before or after the command', () => {
    const stack = (args: string[]): boolean => rxtwin(args).err.some((line) => line.startsWith('    at '));
    expect(stack(['check', '-c', '/no/such/file'])).toBe(false);
    expect(stack(['--verbose', 'check', '-c', '/no/such/file'])).toBe(true);
    expect(stack(['check', '-c', '/no/such/file', '--verbose'])).toBe(true);
  });
});
