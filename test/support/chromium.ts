import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PATH = '/usr/bin/chromium';

/** Whether tests in a real browser can run here. Where they have to (CI, or REQUIRE_SERVERS set), its lack is an error. */
export function hasChromium(): boolean {
  const required = Boolean(process.env['CI']) || Boolean(process.env['REQUIRE_SERVERS']);
  const present = existsSync(PATH);
  if (required && !present) throw new Error(`these tests need chromium at ${PATH} (Debian: chromium)`);
  return present;
}

/** Headless, and without the browser's own calls to the outside. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
