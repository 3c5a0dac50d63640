import { expect, test } from 'vitest';
import { createGapBook } from '../../../src/sources/opcua/gaps.ts';
import { gapNotes, savedGaps } from '../../../src/sources/opcua/gapNote.ts';
import type { GapBook } from '../../../src/sources/opcua/gaps.ts';

const node = (key: string) => ({ key, asset: 'R1', sensor: key, nodeId: `ns=2;s=${key}`, unit: '' });
const a = node('R1/a');
const b = node('R1/b');
const spans = ({ open }: GapBook) => open.map(({ node: { key }, from, to }) => [key, from, to]);

test('a gap lies between the newest value before and the first live one', () => {
  const gaps = createGapBook(1000);
  gaps.known(a.key, 100);
  gaps.known(b.key, null);
  gaps.connection();
  gaps.interrupt([a, b]);
  expect(gaps.awaited).toBe(1);
  gaps.live(a, 150, false);
  gaps.live(a, 160, false);
  gaps.live(b, 150, false);
  expect(gaps.awaited).toBe(0);
  expect(spans(gaps)).toEqual([[a.key, 100, 150]]);
});

test('a node that did not change meanwhile has none, and one goes back no further than allowed', () => {
  const gaps = createGapBook(1000);
  gaps.known(a.key, 100);
  gaps.known(b.key, 100);
  gaps.interrupt([a, b]);
  gaps.live(a, 100, false);
  gaps.live(b, 5000, false);
  expect(spans(gaps)).toEqual([[b.key, 4000, 5000]]);
});

test('values that the server discarded are a gap, live or recovered', () => {
  const gaps = createGapBook(1000);
  gaps.live(a, 10, true);
  gaps.live(a, 20, false);
  gaps.live(a, 50, true);
  gaps.recovered(a, 60, false);
  gaps.recovered(a, 90, true);
  expect(spans(gaps)).toEqual([
    [a.key, 20, 50],
    [a.key, 60, 90],
  ]);
});

test('what was fetched closes the gaps noticed since, not those from before', () => {
  const gaps = createGapBook(1000);
  gaps.known(a.key, 0);
  gaps.known(b.key, 0);
  const first = gaps.connection();
  gaps.interrupt([a, b]);
  gaps.live(a, 10, false);
  gaps.connection();
  gaps.interrupt([a, b]);
  gaps.live(a, 30, false);
  gaps.live(b, 30, false);
  gaps.fetched(new Set([a]), first, 0);
  expect(spans(gaps)).toEqual([
    [a.key, 0, 10],
    [b.key, 0, 30],
  ]);
});

test('what was recovered with holes is a gap up to there, told once', () => {
  const gaps = createGapBook(1000);
  gaps.known(a.key, 0);
  const before = gaps.snapshot();
  gaps.recovered(a, 40, false);
  gaps.suspect(new Map([[a, 40]]), before);
  gaps.suspect(new Map([[a, 30]]), before);
  expect(spans(gaps)).toEqual([[a.key, 0, 40]]);
  const [gap] = gaps.open;
  if (gap !== undefined) gaps.close(gap, 0);
  expect(gaps.open).toEqual([]);
});

test('a gap is unfinished until its values are durable, and the next process begins with it', () => {
  const gaps = createGapBook(1000);
  expect(gaps.unfinished).toEqual([]);
  gaps.known(a.key, 100);
  gaps.interrupt([a]);
  gaps.live(a, 200, false);
  const [gap] = gaps.open;
  expect(gap).toBeDefined();
  if (gap === undefined) return;
  gap.from = 150;
  expect(gaps.unfinished).toEqual([[a.key, 100, 200]]);
  expect(gaps.unfinished).toBe(gaps.unfinished);
  gaps.close(gap, 7);
  gaps.committed(6);
  expect(gaps.open).toEqual([]);
  expect(gaps.unfinished).toEqual([[a.key, 100, 200]]);

  const next = createGapBook(1000);
  next.restore(savedGaps(gapNotes()(gaps.unfinished)), [b, a]);
  expect(spans(next)).toEqual([[a.key, 100, 200]]);
  // It began before every connection of this process, so nothing that the server kept since then fills it.
  next.fetched(new Set([a]), next.connection(), 0);
  expect(spans(next)).toEqual([[a.key, 100, 200]]);

  gaps.committed(7);
  expect(gaps.unfinished).toEqual([]);
});

test('gaps of nodes that are no longer mapped, and notes that cannot be read, are forgotten', () => {
  const gaps = createGapBook(1000);
  gaps.restore([['R9/x', 1, 2]], [a]);
  expect(gaps.unfinished).toEqual([]);
  expect(savedGaps('{"gaps": [["R1/a", 1], ["R1/a", null, 2], 3, ["R1/a", 1, 2]]}')).toEqual([
    ['R1/a', 1, 2],
  ]);
  for (const text of ['', '{', 'null', '[]', '{"gaps": 1}']) expect(savedGaps(text)).toEqual([]);
});
