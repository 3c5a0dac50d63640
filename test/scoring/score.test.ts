import { describe, expect, test } from 'vitest';
import { addRecording, alarmScore, movedLabels, scoreTally } from '../../src/scoring/score.ts';
import type { AlarmScore, ScoredRow } from '../../src/scoring/score.ts';
import { scoreTable } from '../../src/scoring/table.ts';
import { AlarmTimeline } from '../../src/scoring/timeline.ts';

/** One row a second: labels and alarms as texts, `#` = yes. */
const rows = (labels: string, alarms: string): ScoredRow[] =>
  labels.split('').map((label, i) => ({ at: i * 1000, anomalous: label === '#', alarm: alarms[i] === '#' }));

function scoreOf(...recordings: ScoredRow[][]): AlarmScore {
  const tally = scoreTally();
  for (const recording of recordings) addRecording(tally, recording);
  return alarmScore(tally);
}

describe('the score', () => {
  test('counts rows, runs, delays and false onsets', () => {
    expect(scoreOf(rows('....####....##..', '.#....####..##..'))).toEqual({
      rows: 16,
      anomalousRows: 6,
      falseAlarmPercent: 30,
      missedPercent: (100 * 2) / 6,
      j: 100 - 30 - (100 * 2) / 6,
      anomalies: 2,
      found: 2,
      delayS: 1,
      falseOnsets: 1,
      controlJ: expect.any(Number) as number,
    });
  });

  test('pools recordings, each with runs of its own', () => {
    const score = scoreOf(rows('..##', '...#'), rows('##..', '....'));
    expect(score).toMatchObject({
      anomalies: 2,
      found: 1,
      delayS: 1,
      missedPercent: 75,
      falseAlarmPercent: 0,
      j: 25,
    });
  });

  test('is 100 as labelled, 0 for always, never, and half of each', () => {
    const labels = '........####....';
    expect(scoreOf(rows(labels, labels)).j).toBe(100);
    expect(scoreOf(rows(labels, '#'.repeat(16))).j).toBe(0);
    expect(scoreOf(rows(labels, '.'.repeat(16))).j).toBe(0);
    expect(scoreOf(rows(labels, '#.'.repeat(8))).j).toBe(0);
  });

  test('says nothing of shares of nothing', () => {
    expect(scoreOf(rows('....', '#...'))).toMatchObject({
      j: null,
      missedPercent: null,
      falseAlarmPercent: 25,
      delayS: null,
    });
    expect(scoreOf([])).toMatchObject({ rows: 0, j: null, controlJ: null });
  });
});

describe('the control', () => {
  test('keeps the pattern and uses only what is labelled normal', () => {
    const moved = movedLabels(rows('....####....', '............'));
    expect(moved.map(({ anomalous }) => (anomalous ? '#' : '.')).join('')).toBe('...###..');
    expect(moved.map(({ at }) => at / 1000)).toEqual([0, 1, 2, 3, 8, 9, 10, 11]);
  });

  test('is near 0 for what reads sensors, and shows up what alarms by the clock', () => {
    const labels = '........########........';
    expect(scoreOf(rows(labels, labels)).controlJ).toBe(0);
    const clock = scoreOf(rows(labels, '......############......'));
    expect(clock.j).toBeGreaterThan(70);
    expect(clock.controlJ).toBeGreaterThan(50);
  });
});

test('a timeline holds from each change on', () => {
  const timeline = new AlarmTimeline();
  timeline.set(1000, false);
  timeline.set(2000, true);
  timeline.set(3000, true);
  timeline.set(5000, false);
  const alarmAt = timeline.reader();
  expect([0, 1999, 2000, 4999, 5000, 9000].map(alarmAt)).toEqual([false, false, true, true, false, false]);
});

test('settings side by side', () => {
  const table = scoreTable([
    { name: 'a.yaml', score: scoreOf(rows('..####..', '...####.')) },
    { name: 'long name.yaml', score: scoreOf(rows('....', '....')) },
  ]);
  expect(table.split('\n')).toEqual([
    '| configuration  |    J | false alarms % | missed % |  found | delay s | false onsets | control J |',
    '| -------------- | ---: | -------------: | -------: | -----: | ------: | -----------: | --------: |',
    '| a.yaml         | 50.0 |           25.0 |     25.0 | 1 of 1 |     1.0 |            0 |      50.0 |',
    '| long name.yaml |    – |            0.0 |        – | 0 of 0 |       – |            0 |         – |',
    '',
  ]);
});
