import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationDocs } from '../../config/docs.ts';

it('docs/configuration.md is up to date (node scripts/config-docs.ts writes it)', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationDocs());
  expect(page).toContain('| `api.port` | a whole number >= 0 and <= 65535 | `8080` |');
  expect(page).toContain('`RXTWIN_SOURCES_<ID>_PASSWORD`, `…_FILE`');
  expect(page).not.toMatch(/undefined|\[object/);
});
