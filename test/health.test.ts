import { describe, expect, test } from 'vitest';
import { createHealth } from '../src/health.ts';
import type { Health } from '../src/health.ts';
import type { Entry } from '../src/processor.ts';
import type { SourceStatus } from '../src/sources/source.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import type { Metrics } from '../src/telemetry/metrics.ts';
import { fakeSource, letter, received } from './fakes/ingest.ts';
import { recordingLog } from './integration/serviceRig.ts';
import type { Logged } from './integration/serviceRig.ts';
import { batch, reading } from './store/batches.ts';

interface Rig {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logged: Logged[];
  clock: number;
  status: SourceStatus;
  forward: { readonly ok: boolean; readonly detail: string; readonly required: boolean } | null;
}

function rig(): Rig {
  const metrics = createMetrics();
  const logged: Logged[] = [];
  const it: Rig = {
    metrics,
    logged,
    clock: 1000,
    forward: null,
    status: { connected: true, detail: 'connected to x', reconnects: 0, problems: {} },
    health: createHealth({
      sources: [{ ...fakeSource('plant'), status: () => it.status }],
      metrics,
      forward: () => it.forward,
      now: () => it.clock,
      log: recordingLog(logged),
    }),
  };
  return it;
}

const entry = (input: Entry['input']): Entry => ({ row: 1, input, outputs: [], settled: true });

describe('readiness', () => {
  test('with all sources connected and nothing waiting', () => {
    expect(rig().health.view()).toEqual({
      ready: true,
      parts: {
        'store': { ok: true, detail: '0 inputs wait for their commit' },
        'source plant': { ok: true, detail: 'connected to x' },
      },
    });
  });

  test('not while a source is disconnected; a part of it that does not work is told, but is no reason', () => {
    const it = rig();
    it.status = { ...it.status, connected: false, detail: 'ECONNREFUSED' };
    expect(it.health.view()).toMatchObject({
      ready: false,
      parts: { 'source plant': { ok: false, detail: 'ECONNREFUSED' } },
    });
    it.status = {
      ...it.status,
      connected: true,
      detail: 'connected',
      problems: { 'R101/level': 'BadNodeIdUnknown' },
    };
    expect(it.health.view()).toMatchObject({
      ready: true,
      parts: { 'source plant': { ok: true, detail: 'connected; R101/level: BadNodeIdUnknown' } },
    });
  });

  test('InfluxDB out of reach is told, and is a reason only where the service cannot go on without it', () => {
    const it = rig();
    it.forward = { ok: false, detail: 'ECONNREFUSED', required: false };
    expect(it.health.view()).toMatchObject({
      ready: true,
      parts: { influx: { ok: false, detail: 'ECONNREFUSED' } },
    });
    it.forward = { ...it.forward, required: true };
    expect(it.health.view().ready).toBe(false);
    it.forward = { ok: true, detail: 'forwarding', required: true };
    expect(it.health.view()).toMatchObject({ ready: true, parts: { influx: { ok: true } } });
  });

  test('not while commits fail, and again after one that did not', () => {
    const it = rig();
    it.health.onEntry(entry(received('plant', 1, 85)));
    it.health.onStoreError(new Error('disk full'), 'The last commit');
    it.health.onStoreError(new Error('disk full'), 'The last commit');
    expect(it.health.view()).toMatchObject({
      ready: false,
      parts: { store: { ok: false, detail: 'The last commit failed: disk full' } },
    });
    // One line for many attempts.
    expect(it.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
    it.health.onCommit(batch({}), 1, 0.002);
    expect(it.health.view().ready).toBe(true);
    expect(it.logged.at(-1)).toMatchObject({ level: 'info', message: 'The store takes commits again' });
  });

  test('not while a commit takes longer than ten seconds; the wait starts anew with each commit', () => {
    const it = rig();
    it.health.onEntry(entry(received('plant', 1, 85)));
    it.clock += 9000;
    it.health.onEntry(entry({ at: it.clock }));
    it.clock += 1000;
    expect(it.health.view().ready).toBe(true);
    it.clock += 1;
    expect(it.health.view()).toMatchObject({
      ready: false,
      parts: { store: { ok: false, detail: 'no commit for 10001 ms, 2 inputs wait' } },
    });
    it.health.onCommit(batch({}), 1, 10);
    expect(it.health.view()).toMatchObject({
      ready: true,
      parts: { store: { detail: '1 inputs wait for their commit' } },
    });
    it.clock += 10_001;
    expect(it.health.view().ready).toBe(false);
    it.health.onCommit(batch({}), 1, 10);
    it.clock += 60_000;
    expect(it.health.view().ready).toBe(true);
    expect(it.health.waiting()).toBe(0);
  });
});

describe('what is counted', () => {
  test('dead letters by source and reason, logged at a bounded rate; commits and their rows', async () => {
    const it = rig();
    for (let i = 1; i <= 50; i += 1) it.health.onEntry(entry(letter('plant', i)));
    it.health.onEntry(entry({ ...letter('plant', 51), reason: 'oversized' }));
    expect(it.logged.map(({ detail }) => ('reason' in detail ? detail.reason : ''))).toEqual([
      'malformed',
      'oversized',
    ]);
    it.health.onCommit(batch({ readings: [reading({ row: 1, timestamp: 0, value: 1 })] }), 51, 0.004);
    const text = await it.metrics.text();
    expect(text).toContain('rxtwin_dead_letters_total{source="plant",reason="malformed"} 50');
    expect(text).toContain('rxtwin_dead_letters_total{source="plant",reason="oversized"} 1');
    expect(text).toContain('rxtwin_commit_rows_total 1');
    expect(text).toContain('rxtwin_commit_duration_seconds_sum 0.004');
  });
});
