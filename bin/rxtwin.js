#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/src/main.js', import.meta.url);
const major = Number(process.versions.node.split('.')[0]);

if (major < 24) {
  process.stderr.write(
    `rxtwin needs Node 24 or later, this is ${process.versions.node}. In a clone, "npm start" and "npx rxtwin" bring their own.\n`,
  );
  process.exitCode = 1;
} else if (!existsSync(main)) {
  process.stderr.write('rxtwin is not built: run "npm run build" first.\n');
  process.exitCode = 1;
} else {
  await import(main.href);
}
