import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LiveEvent } from '../../src/api/live.ts';
import { streamFilter } from '../../src/api/streamFilter.ts';
import { StreamHub } from '../../src/api/streamHub.ts';
import { reading, twin } from '../fakes/live.ts';

beforeEach(
  () => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] }),
);
afterEach(() => void vi.useRealTimers());

const ALL = streamFilter();
const event = (value: number, sensor = 'temperature', asset = 'R101'): LiveEvent => ({
  type: 'reading',
  reading: reading({ asset, sensor, value }),
});

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A client in memory that takes `room` writes before it blocks. */
function sink(room = Infinity) {
  const state = { text: '', room, ended: false };
  return {
    state,
    write: (chunk: Buffer) => {
      state.text += chunk.toString();
      state.room -= 1;
      return state.room > 0;
    },
    end: () => {
      state.ended = true;
    },
    messages: (): Message[] =>
      state.text
        .split('\n\n')
        .filter((block) => block.includes('data: '))
        .map((block) => {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
          return {
            id: field('id'),
            event: field('event'),
            data: JSON.parse(field('data') ?? '') as Record<string, unknown>,
          };
        }),
  };
}

const hubOf = (capacity: number, budgetMs = 1000) =>
  new StreamHub({ boot: 'ab12', capacity, flushMs: 20, budgetMs });
const values = (client: ReturnType<typeof sink>) => client.messages().map(({ data }) => data['value']);

describe('a client that keeps up', () => {
  test('gets every event in order, with growing ids', () => {
    const hub = hubOf(100);
    const client = sink();
    hub.push(event(0));
    hub.add(client, ALL);
    for (let i = 1; i <= 5; i++) hub.push(event(i));
    vi.advanceTimersByTime(20);
    expect(values(client)).toEqual([1, 2, 3, 4, 5]);
    expect(client.messages().map(({ id }) => id)).toEqual(['ab12-1', 'ab12-2', 'ab12-3', 'ab12-4', 'ab12-5']);
    hub.close();
    expect(client.state.ended).toBe(true);
  });

  test('each event is made into text once for all clients, and never without any', () => {
    const hub = hubOf(100);
    let made = 0;
    const counted = (value: number): LiveEvent => {
      const inner = reading({ value });
      return {
        type: 'reading',
        reading: {
          ...inner,
          get unit() {
            made += 1;
            return 'degC';
          },
        },
      };
    };
    for (let i = 0; i < 50; i++) hub.push(counted(i));
    expect(made).toBe(0);
    const clients = Array.from({ length: 100 }, (_, i) => {
      const client = sink();
      hub.add(client, i % 2 === 0 ? ALL : streamFilter(['R101']));
      return client;
    });
    hub.push(counted(50));
    vi.advanceTimersByTime(20);
    for (const client of clients) expect(values(client)).toEqual([50]);
    expect(made).toBe(1);
    hub.close();
  });

  test('heartbeats', () => {
    const hub = hubOf(10);
    const client = sink();
    hub.add(client, ALL);
    vi.advanceTimersByTime(45_000);
    expect(client.state.text.match(/^: heartbeat$/gm)).toHaveLength(3);
    hub.close();
  });
});

describe('filters', () => {
  test.each([
    [streamFilter(['R102']), [3, 4]],
    [streamFilter(['R101,R102']), [1, 2, 3, 4]],
    [streamFilter(['R101', 'R102'], ['pressure']), [2, 4]],
    [streamFilter([], ['temperature']), [1, 3]],
    [streamFilter([], [], ['twin']), []],
    [streamFilter([], [], ['window,reading']), [1, 2, 3, 4]],
  ])('%#', (filter, expected) => {
    const hub = hubOf(100);
    const client = sink();
    hub.add(client, filter);
    hub.push(event(1, 'temperature'));
    hub.push(event(2, 'pressure'));
    hub.push(event(3, 'temperature', 'R102'));
    hub.push(event(4, 'pressure', 'R102'));
    hub.push({ type: 'twin', twin: twin({ asset: 'R103' }) });
    vi.advanceTimersByTime(20);
    expect(
      client
        .messages()
        .filter((m) => m.event === 'reading')
        .map(({ data }) => data['value']),
    ).toEqual(expected);
    hub.close();
  });
});

describe('resuming', () => {
  test.each([
    ['ab12-3', null, [4, 5, 6, 7, 8, 9, 10, 11]],
    ['ab12-11', null, []],
    ['ab12-1', null, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['ab12-0', 'expired', [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['ab12-12', 'restart', [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['cd34-3', 'restart', [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['ab12-99999999999999999999', 'restart', [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['nonsense', 'restart', [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    [undefined, null, []],
    ['', null, []],
  ])('after %s: gap %s', (lastEventId, gap, expected) => {
    const hub = hubOf(10);
    for (let i = 0; i < 12; i++) hub.push(event(i));
    const client = sink();
    hub.add(client, ALL, lastEventId);
    vi.advanceTimersByTime(20);
    const [first] = client.messages();
    if (gap !== null) expect(first).toMatchObject({ event: 'gap', data: { type: 'gap', reason: gap } });
    expect(values(client).slice(gap === null ? 0 : 1)).toEqual(expected);
    hub.close();
  });
});

describe('a client that does not keep up', () => {
  test('gets the latest of each key and then every event again; memory stays bounded', () => {
    const hub = hubOf(100);
    const slow = sink(1);
    const fast = sink();
    const client = hub.add(slow, ALL);
    hub.add(fast, ALL);
    for (let i = 0; i < 10_000; i++) {
      hub.push(event(i, `s${i % 7}`));
      if (i % 20 === 0) vi.advanceTimersByTime(20);
    }
    vi.advanceTimersByTime(20);
    expect(slow.messages()).toEqual([]);
    expect(values(fast)).toHaveLength(10_000);
    expect(hub.conflatedKeys).toBe(7);

    slow.state.room = Infinity;
    client.drained();
    vi.advanceTimersByTime(20);
    const [gap, ...rest] = slow.messages();
    expect(gap).toMatchObject({ event: 'gap', data: { reason: 'conflated' } });
    const latest = new Map(rest.map(({ data }) => [data['sensor'], data['value']]));
    expect(latest).toEqual(new Map(Array.from({ length: 7 }, (_, s) => [`s${(9993 + s) % 7}`, 9993 + s])));
    expect(rest.length).toBeLessThanOrEqual(107);
    const order = rest.map(({ id }) => Number(id?.split('-')[1]));
    expect(order).toEqual([...order].sort((a, b) => a - b));

    hub.push(event(77));
    vi.advanceTimersByTime(20);
    expect(values(slow).at(-1)).toBe(77);
    hub.close();
  });

  test('still gets a sensor that spoke once, long ago', () => {
    const hub = hubOf(10);
    const slow = sink(1);
    const client = hub.add(slow, ALL);
    hub.push(event(-1, 'rare'));
    for (let i = 0; i < 1000; i++) hub.push(event(i));
    slow.state.room = Infinity;
    client.drained();
    vi.advanceTimersByTime(20);
    expect(values(slow).slice(1, 2)).toEqual([-1]);
    expect(values(slow).at(-1)).toBe(999);
    hub.close();
  });

  test('one that resumes far behind and then stalls misses no sensor either', () => {
    const hub = hubOf(10);
    const other = sink();
    hub.add(other, ALL);
    hub.push(event(-1, 'rare'));
    for (let i = 0; i < 8; i++) hub.push(event(i));
    vi.advanceTimersByTime(20);
    const slow = sink(1);
    const client = hub.add(slow, ALL, 'ab12-0'); // has `rare`, wants all after it
    hub.push(event(-2, 'rare2'));
    for (let i = 0; i < 500; i++) hub.push(event(i));
    slow.state.room = Infinity;
    client.drained();
    vi.advanceTimersByTime(20);
    expect(slow.messages().filter(({ data }) => data['sensor'] === 'rare2')).toHaveLength(1);
    expect(slow.messages().filter(({ data }) => data['sensor'] === 'rare')).toHaveLength(0);
    expect(values(slow).at(-1)).toBe(499);
    hub.close();
  });

  test('a burst larger than the ring conflates everyone instead of losing events unsaid', () => {
    const hub = hubOf(100);
    const client = sink();
    hub.add(client, ALL);
    for (let i = 0; i < 1000; i++) hub.push(event(i));
    vi.advanceTimersByTime(20);
    const [gap, ...rest] = client.messages();
    expect(gap?.event).toBe('gap');
    expect(rest.at(-1)?.data['value']).toBe(999);
    expect(rest.length).toBeLessThanOrEqual(101);
    hub.close();
  });

  test('memory for laggards is let go with the last client', () => {
    const hub = hubOf(10);
    const client = hub.add(sink(1), ALL);
    for (let i = 0; i < 100; i++) hub.push(event(i, `s${i}`));
    expect(hub.conflatedKeys).toBeGreaterThan(80);
    client.remove();
    expect(hub.conflatedKeys).toBe(0);
    expect(hub.size).toBe(0);
    hub.close();
  });
});

test('a round stops at its budget and serves the others next', () => {
  const hub = hubOf(1000, 0);
  const clients = Array.from({ length: 3 }, () => sink());
  for (const client of clients) hub.add(client, ALL);
  for (let i = 0; i < 100; i++) hub.push(event(i));
  vi.advanceTimersByTime(2000);
  const got = clients.map((client) => values(client).length);
  expect(got).toEqual([100, 100, 100]);
  hub.close();
});
