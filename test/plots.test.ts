import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { plots } from '../scripts/plots/figures.ts';

const folder = new URL('../docs/plots/', import.meta.url);
const written = [...plots()];

describe('docs/plots (node scripts/plots.ts writes them)', () => {
  test.each(written)('%s is up to date, small, and has no figure out of range', (name, text) => {
    expect(readFileSync(new URL(name, folder), 'utf8') === text, name).toBe(true);
    expect(text.length).toBeLessThan(60_000);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(text).toContain('prefers-color-scheme:dark');
  });

  test('the page on estimation shows each, and no other', () => {
    const page = readFileSync(new URL('../docs/estimation.md', import.meta.url), 'utf8');
    const names = written.map(([name]) => name).toSorted();
    expect([...page.matchAll(/plots\/([\w-]+\.svg)/g)].map(([, name]) => name).toSorted()).toEqual(names);
    expect(readdirSync(folder).filter((each) => each.startsWith('estimates-'))).toHaveLength(names.length);
  });
});
