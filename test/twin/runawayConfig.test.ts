import { expect, test } from 'vitest';
import type { LiveTwin } from '../../src/twin/liveTwin.ts';
import { openTwins } from '../../src/twin/registry.ts';
import { configFolder } from '../config/helpers.ts';

async function load(model: string): Promise<LiveTwin | undefined> {
  const settings = configFolder();
  try {
    const { config } = settings.load(`assets: { A: { model: ${model}, sensors: { temperature: {} } } }`);
    return (await openTwins(config)).get('A');
  } finally {
    settings.remove();
  }
}

/** What is kept of companions, and what they say after a minute. */
function spoken(twin: LiveTwin | undefined): readonly [unknown, unknown] {
  const { estimated } = twin ?? {};
  const state = estimated?.initial();
  if (!estimated || !state) return [undefined, undefined];
  for (let i = 0; i < 60; i++) {
    estimated.advance(state, 1);
    estimated.correct(state, 'temperature', 76.85, 0.25);
  }
  return [Object.keys(state.companions), estimated.insights?.(state)];
}

test('is off unless it is configured', async () => {
  expect(spoken(await load('{ type: cstr }'))).toEqual([[], undefined]);
  expect(spoken(await load('{ type: cstr, runaway: null }'))).toEqual([[], undefined]);
});

test('goes along with the twin where it is, with its defaults', async () => {
  const [kept, said] = spoken(await load('{ type: cstr, runaway: { limit: 110 } }'));
  expect(kept).toEqual(['runaway']);
  // The middle steady state of the textbook: the divergence there is 2.4 1/min by hand.
  expect(said).toMatchObject({ runaway: { level: 'warning', limit: 110 } });
  const { runaway } = said as { runaway: { divergencePerS: number; reason: string } };
  expect(runaway.divergencePerS * 60).toBeGreaterThan(2);
  expect(runaway.divergencePerS * 60).toBeLessThan(3);
  expect(runaway.reason).toContain('divergence');
});

test('a model without a filter, an unknown output and a missing limit are refused', async () => {
  await expect(load('{ type: batchReactor, runaway: { limit: 90 } }')).rejects.toThrow(
    'batchReactor has no filter that could take the key runaway',
  );
  await expect(load('{ type: cstr, runaway: { limit: 90, output: heat } }')).rejects.toThrow(
    'runaway.output: heat is not valid, expected one of temperature, concentration',
  );
  await expect(load('{ type: cstr, runaway: { criterion: both } }')).rejects.toThrow(
    'assets.A.model.runaway.limit: missing',
  );
});
