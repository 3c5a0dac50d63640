/** Writes docs/configuration.md from the schema: `node scripts/config-docs.ts`. */
import { writeFileSync } from 'node:fs';
import { configurationDocs } from '../config/docs.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationDocs());
