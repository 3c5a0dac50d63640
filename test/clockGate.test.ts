import { describe, expect, test } from 'vitest';
import { ClockGate } from '../src/clockGate.ts';
import { received } from './fakes/ingest.ts';

/** A gate with one source, and a clock of one tick a second that goes on as it is asked. */
function rig(catchUpMs = 60_000) {
  const status = { connected: false, detail: '', reconnects: 0, problems: {} };
  const gate = new ClockGate([{ id: 'plant', status: () => status }], catchUpMs, 0);
  let [wall, monotonic] = [1_760_000_000_000, 0];
  return {
    status,
    hold: (held: boolean): void => gate.hold(held, monotonic),
    /** The next so many ticks: 1 for those that pass. */
    ticks: (count: number): string =>
      Array.from({ length: count }, () => {
        wall += 1000;
        monotonic += 1000;
        return gate.passes(wall, monotonic) ? '1' : '0';
      }).join(''),
    jump: (ms: number): void => void (wall += ms),
    /** A reading that is so old arrives now. */
    arrives: (lagMs: number, source = 'plant'): void => {
      const reading = received(source, 1, 85, { timestamp: wall - lagMs });
      const came = {
        row: 1,
        source,
        position: 1,
        arrivedAt: wall,
        value: 85,
        unit: '',
        quality: 'Good',
      } as const;
      gate.saw({ row: 1, input: { ...reading, received: came }, outputs: [], settled: true });
    },
  };
}

describe('the clock is withheld', () => {
  test('after the start, until the source is there and nothing has queued up', () => {
    const it = rig();
    expect(it.ticks(2)).toBe('00');
    it.status.connected = true;
    // The first tick sees the connection, the second and the third that nothing came.
    expect(it.ticks(4)).toBe('0011');
  });

  test('where the broker, or a busy machine, lets the backlog wait for a second', () => {
    const it = rig();
    it.status.connected = true;
    let passed = it.ticks(2);
    it.arrives(30_000);
    passed += it.ticks(2);
    it.arrives(10_000);
    passed += it.ticks(1);
    it.arrives(0);
    expect(passed + it.ticks(2)).toBe('0000011');
  });

  test('but not for long for a source that cannot be reached', () => {
    expect(rig().ticks(8)).toBe('00001111');
    expect(rig(2000).ticks(4)).toBe('0111');
    expect(rig(0).ticks(2)).toBe('11');
  });

  test('while a backlog is being delivered, until what comes is live', () => {
    const it = rig();
    it.status.connected = true;
    let passed = it.ticks(1);
    for (const lagMs of [60_000, 40_000, 20_000, 500]) {
      it.arrives(lagMs);
      passed += it.ticks(1);
    }
    expect(passed).toBe('00001');
    it.arrives(30_000);
    expect(it.ticks(2)).toBe('11');
  });

  test('also where the catching up comes to a halt for some seconds', () => {
    const it = rig();
    it.status.connected = true;
    let passed = it.ticks(1);
    for (const lagMs of [60_000, 40_000, 40_900, 41_800, 42_700, 43_600, 20_000, 500]) {
      it.arrives(lagMs);
      passed += it.ticks(1);
    }
    expect(passed).toBe('000000001');
  });

  test('no longer than is allowed', () => {
    const it = rig(5000);
    it.status.connected = true;
    let passed = it.ticks(1);
    for (let lagMs = 60_000; lagMs > 0; lagMs -= 5000) {
      it.arrives(lagMs);
      passed += it.ticks(1);
    }
    expect(passed).toBe('0000011111111');
  });

  test('not for a plant whose clock is wrong: it lags for ever, by the same', () => {
    const it = rig();
    it.status.connected = true;
    let passed = it.ticks(1);
    for (let i = 0; i < 8; i += 1) {
      it.arrives(3_600_000 + (i % 2) * 20);
      passed += it.ticks(1);
    }
    expect(passed).toBe('000000111');
  });

  test('again after a reconnect, and not while the connection is down', () => {
    const it = rig();
    it.status.connected = true;
    expect(it.ticks(3)).toBe('001');
    it.status.connected = false;
    expect(it.ticks(3)).toBe('111');
    it.status.connected = true;
    it.status.reconnects = 1;
    expect(it.ticks(1)).toBe('0');
    it.arrives(3000);
    expect(it.ticks(1)).toBe('0');
    it.arrives(0);
    expect(it.ticks(2)).toBe('11');
  });

  test('when somebody has set the clock, either way', () => {
    for (const ms of [3_600_000, -3_600_000]) {
      const it = rig();
      it.status.connected = true;
      expect(it.ticks(3)).toBe('001');
      it.jump(ms);
      expect(it.ticks(1)).toBe('0');
      it.arrives(ms);
      expect(it.ticks(1)).toBe('0');
      it.arrives(0);
      expect(it.ticks(2)).toBe('11');
    }
  });

  test('while the service itself holds its sources back, however long, and until they have delivered', () => {
    const it = rig();
    it.status.connected = true;
    expect(it.ticks(3)).toBe('001');
    it.hold(true);
    expect(it.ticks(70)).toBe('0'.repeat(70));
    it.hold(false);
    it.arrives(50_000);
    expect(it.ticks(1)).toBe('0');
    it.arrives(100);
    expect(it.ticks(2)).toBe('11');
  });

  test('not for the short stops of a burst', () => {
    const it = rig();
    it.status.connected = true;
    expect(it.ticks(3)).toBe('001');
    for (let i = 0; i < 3; i += 1) {
      it.hold(true);
      it.hold(false);
      it.arrives(50);
      expect(it.ticks(1)).toBe('1');
    }
  });

  test('for a delay of the process itself it is not', () => {
    const it = rig();
    it.status.connected = true;
    expect(it.ticks(3)).toBe('001');
    it.jump(900);
    expect(it.ticks(1)).toBe('1');
  });
});
