/** Writes docs/plots from runs of the operators: `node scripts/plots.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { plots } from './plots/figures.ts';

const folder = new URL('../docs/plots/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of plots()) writeFileSync(new URL(name, folder), text);
