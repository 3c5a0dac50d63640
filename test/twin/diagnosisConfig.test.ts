import { expect, test } from 'vitest';
import { openTwins } from '../../src/twin/registry.ts';
import { configFolder } from '../config/helpers.ts';

/** What is kept of companions. */
async function kept(model: string): Promise<readonly string[]> {
  const settings = configFolder();
  try {
    const { config } = settings.load(`assets: { A: { model: ${model}, sensors: { temperature: {} } } }`);
    const twin = (await openTwins(config)).get('A')?.estimated;
    return Object.keys(twin?.initial().companions ?? {});
  } finally {
    settings.remove();
  }
}

test('the diagnosis is off unless it is configured', async () => {
  expect(await kept('{ type: cstr }')).toEqual([]);
  expect(await kept('{ type: cstr, diagnosis: null }')).toEqual([]);
  expect(await kept('{ type: cstr, diagnosis: {} }')).toEqual(['diagnosis']);
});

test('what it cannot take is refused', async () => {
  await expect(kept('{ type: cstr, diagnosis: { parameters: [fouling] } }')).rejects.toThrow(
    'diagnosis.parameters: fouling is not valid',
  );
  await expect(kept('{ type: cstr, diagnosis: { historyMs: 60000 } }')).rejects.toThrow(
    'historyMs: 60000 is not valid, expected 20 to 120 times blockMs',
  );
  await expect(kept('{ type: batchReactor, diagnosis: {} }')).rejects.toThrow('batchReactor has no filter');
});
