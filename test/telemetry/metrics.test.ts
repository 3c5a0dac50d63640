import { describe, expect, test } from 'vitest';
import { observeLive } from '../../src/telemetry/liveMetrics.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { anomaly, fakeLive, reading, T0 } from '../fakes/live.ts';

const lines = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith('rxtwin_'));

test('all documented names are there from the start', async () => {
  const text = await createMetrics().text();
  for (const [name, type] of [
    ['rxtwin_readings_total', 'counter'],
    ['rxtwin_drops_total', 'counter'],
    ['rxtwin_dead_letters_total', 'counter'],
    ['rxtwin_issues_total', 'counter'],
    ['rxtwin_buffer_readings', 'gauge'],
    ['rxtwin_commit_duration_seconds', 'histogram'],
    ['rxtwin_commit_rows_total', 'counter'],
    ['rxtwin_source_connected', 'gauge'],
    ['rxtwin_source_reconnects_total', 'counter'],
    ['rxtwin_sensor_lag_seconds', 'gauge'],
    ['rxtwin_twin_status', 'gauge'],
    ['rxtwin_forward_lag_rows', 'gauge'],
    ['rxtwin_forward_lag_seconds', 'gauge'],
    ['rxtwin_forward_catch_up_rows', 'gauge'],
    ['rxtwin_forward_catch_up_rows_per_second', 'gauge'],
    ['rxtwin_forward_rows_total', 'counter'],
    ['rxtwin_forward_quarantined_total', 'counter'],
    ['rxtwin_forward_dropped_total', 'counter'],
    ['rxtwin_forward_skipped_total', 'counter'],
    ['rxtwin_forward_retries_total', 'counter'],
    ['rxtwin_late_readings_total', 'counter'],
    ['rxtwin_anomaly_alarm', 'gauge'],
    ['rxtwin_anomaly_learning', 'gauge'],
    ['rxtwin_anomaly_score', 'gauge'],
    ['rxtwin_anomaly_threshold', 'gauge'],
    ['rxtwin_anomalies_total', 'counter'],
    ['process_cpu_seconds_total', 'counter'],
    ['process_resident_memory_bytes', 'gauge'],
    ['nodejs_eventloop_lag_seconds', 'gauge'],
  ]) {
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
  }
});

test('counts readings, issues, drops, dead letters and commits', async () => {
  const metrics = createMetrics();
  metrics.reading(reading());
  metrics.reading(reading({ quality: 'Bad', issues: [{ check: 'range', message: '' }] }));
  metrics.reading(
    reading({
      quality: 'Bad',
      issues: [
        { check: 'range', message: '' },
        { check: 'unit', message: '' },
      ],
    }),
  );
  metrics.reading(reading({ received: null, imputed: true, quality: 'Uncertain' }));
  metrics.readings('plc').Good += 5;
  metrics.onDrop('overflow', reading());
  metrics.onDrop('lateForWindow', reading());
  metrics.onDrop('lateForWindow', reading());
  metrics.deadLetter('plant', 'malformed');
  metrics.commit(0.0015, 1000);
  metrics.commit(0.3, 10);
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await lines(metrics);
    expect(text).toEqual(
      expect.arrayContaining([
        'rxtwin_readings_total{source="plant",quality="Good"} 1',
        'rxtwin_readings_total{source="plant",quality="Bad"} 2',
        'rxtwin_readings_total{source="plant",quality="Uncertain"} 0',
        'rxtwin_readings_total{source="none",quality="Uncertain"} 1',
        'rxtwin_readings_total{source="plc",quality="Good"} 5',
        'rxtwin_issues_total{check="range"} 2',
        'rxtwin_issues_total{check="unit"} 1',
        'rxtwin_drops_total{reason="overflow"} 1',
        'rxtwin_drops_total{reason="duplicate"} 0',
        'rxtwin_late_readings_total 2',
        'rxtwin_dead_letters_total{source="plant",reason="malformed"} 1',
        'rxtwin_commit_rows_total 1010',
        'rxtwin_commit_duration_seconds_bucket{le="0.002"} 1',
        'rxtwin_commit_duration_seconds_bucket{le="0.5"} 2',
        'rxtwin_commit_duration_seconds_count 2',
      ]),
    );
    expect(text.join()).not.toContain('lateForWindow');
  }
});

describe('what is asked at the scrape', () => {
  test('buffer and forwarder', async () => {
    const metrics = createMetrics();
    let waiting = 3;
    metrics.observe({ bufferReadings: () => waiting });
    expect(await lines(metrics)).toContain('rxtwin_forward_lag_rows 0');
    metrics.observe({
      forward: () => ({
        lagRows: 7,
        lagSeconds: 1.5,
        forwardedRows: 100,
        quarantinedRows: 2,
        droppedRows: 30,
        skippedRows: 4,
        retries: 5,
        catchUp: { rowsLeft: 6, rowsPerS: 1234.5 },
      }),
    });
    expect(await lines(metrics)).toEqual(
      expect.arrayContaining([
        'rxtwin_buffer_readings 3',
        'rxtwin_forward_lag_rows 7',
        'rxtwin_forward_lag_seconds 1.5',
        'rxtwin_forward_catch_up_rows 6',
        'rxtwin_forward_catch_up_rows_per_second 1234.5',
        'rxtwin_forward_rows_total 100',
        'rxtwin_forward_quarantined_total 2',
        'rxtwin_forward_dropped_total 30',
        'rxtwin_forward_skipped_total 4',
        'rxtwin_forward_retries_total 5',
      ]),
    );
    waiting = 4;
    expect(await lines(metrics)).toContain('rxtwin_buffer_readings 4');
  });

  test('sources, twins, and the lag of the most silent sensor of each source', async () => {
    const live = fakeLive();
    live.clock = T0 + 12_500;
    const metrics = createMetrics();
    metrics.observe(observeLive(live));
    const text = await lines(metrics);
    expect(text).toEqual(
      expect.arrayContaining([
        'rxtwin_source_connected{source="plant"} 1',
        'rxtwin_source_reconnects_total{source="plant"} 2',
        'rxtwin_sensor_lag_seconds{source="plant"} 12.5',
        'rxtwin_twin_status{asset="R101",status="synchronised"} 1',
        'rxtwin_twin_status{asset="R101",status="degraded"} 0',
        'rxtwin_twin_status{asset="R101",status="lost"} 0',
      ]),
    );
    expect(text.filter((line) => line.startsWith('rxtwin_twin_status'))).toHaveLength(3);
    live.sourceViews = [];
    expect((await lines(metrics)).join()).not.toContain('rxtwin_source_connected{');
  });

  test('anomalies, of the assets for which they are configured', async () => {
    const live = fakeLive();
    const metrics = createMetrics();
    metrics.observe(observeLive(live));
    const shown = async () => (await lines(metrics)).filter((line) => line.startsWith('rxtwin_anomal'));
    expect(await shown()).toEqual([]);
    const set = (id: string, over: object) =>
      live.byId.set(id, { id, model: null, sensors: [], twin: null, anomaly: null, ...over });
    set('R101', { anomaly: { learning: null, latest: anomaly(), alarms: 3 } });
    set('R102', { anomaly: { learning: { learned: 7, wanted: 400 }, latest: null, alarms: 0 } });
    expect((await shown()).toSorted()).toEqual([
      'rxtwin_anomalies_total{asset="R101"} 3',
      'rxtwin_anomalies_total{asset="R102"} 0',
      'rxtwin_anomaly_alarm{asset="R101"} 1',
      'rxtwin_anomaly_alarm{asset="R102"} 0',
      'rxtwin_anomaly_learning{asset="R101"} 0',
      'rxtwin_anomaly_learning{asset="R102"} 1',
      'rxtwin_anomaly_score{asset="R101"} 31.5',
      'rxtwin_anomaly_threshold{asset="R101"} 20.25',
    ]);
  });
});

test('two services in one process do not share counters', async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.readings('a').Good += 1;
  expect((await lines(two)).join()).not.toContain('source="a"');
});
