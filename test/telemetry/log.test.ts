import { describe, expect, test } from 'vitest';
import { createLog, limitedWarn, maskUrl } from '../../src/telemetry/log.ts';
import type { Log } from '../../src/telemetry/log.ts';

function capture(level: 'info' | 'warn' | 'silent' = 'info') {
  const written: string[] = [];
  const log: Log = createLog(level, { write: (line) => void written.push(line) });
  return { log, written, records: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('log', () => {
  test('one JSON object a line, with level, time and message', () => {
    const { log, written, records } = capture();
    log.child({ source: 'plant' }).info({ rows: 3 }, 'committed');
    expect(written[0]?.endsWith('}\n')).toBe(true);
    expect(records()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        source: 'plant',
        rows: 3,
        msg: 'committed',
      },
    ]);
  });

  test('the level is kept', () => {
    const { log, written } = capture('warn');
    log.info({}, 'no');
    log.warn({}, 'yes');
    expect(written).toHaveLength(1);
    const silent = capture('silent');
    silent.log.error({}, 'no');
    expect(silent.written).toEqual([]);
  });

  test.each([
    [{ password: 'hunter2' }],
    [{ source: { password: 'hunter2' } }],
    [{ config: { sources: { plant: { password: 'hunter2' } } } }],
    [{ config: { sources: [{ password: 'hunter2' }] } }],
    [{ influx: { token: 'hunter2' } }],
    [{ headers: { authorization: 'Bearer hunter2' } }],
    [{ req: { headers: { Authorization: 'hunter2' } } }],
    [{ url: 'mqtt://user:hunter2@broker:1883' }],
    [{ url: 'opc.tcp://user:hunter2@plc:4840/path' }],
    [{ err: new Error('cannot reach mqtts://user:hunter2@broker') }],
  ])('no secret gets out: %j', (detail) => {
    const { log, written } = capture();
    log.info(detail, 'connecting');
    expect(written.join('')).not.toContain('hunter2');
    expect(written.join('')).toContain('***');
  });

  test('a secret in the message itself is masked where it is part of a URL', () => {
    const { log, records } = capture();
    log.info({}, 'connecting to mqtt://user:hunter2@broker:1883');
    expect(records()[0]?.['msg']).toBe('connecting to mqtt://***@broker:1883');
  });

  test('what is no secret stays', () => {
    for (const text of [
      'mqtt://broker:1883/a',
      'a@b.c',
      'http://x/y?z=a@b',
      'see https://x.y and mail a@b',
    ]) {
      expect(maskUrl(text)).toBe(text);
    }
  });
});

describe('limited warnings', () => {
  test('one a key and interval, with the count of those held back', () => {
    const { log, records } = capture();
    let now = 0;
    const warn = limitedWarn(log, 1000, () => now);
    for (now = 0; now <= 2500; now += 100) warn('a', { n: now }, 'again');
    warn('b', {}, 'other');
    expect(records().map(({ n, suppressed, msg }) => [msg, n, suppressed])).toEqual([
      ['again', 0, undefined],
      ['again', 1000, 9],
      ['again', 2000, 9],
      ['other', undefined, undefined],
    ]);
  });

  test('a clock that jumps back does not silence it', () => {
    const { log, records } = capture();
    let now = 1e6;
    const warn = limitedWarn(log, 1000, () => now);
    warn('a', {}, 'one');
    now = 0;
    warn('a', {}, 'two');
    expect(records()).toHaveLength(2);
  });

  test('keys from input are bounded: the oldest is forgotten', () => {
    const { log, written } = capture();
    const warn = limitedWarn(log, 1000, () => 0);
    for (let i = 0; i < 1001; i++) warn(`key${i}`, {}, 'first');
    warn('key1000', {}, 'held back');
    expect(written).toHaveLength(1001);
    warn('key0', {}, 'forgotten, so said again');
    expect(written).toHaveLength(1002);
  });
});
