/** The live page in a real browser, on a real service. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { start, until } from './serviceRig.ts';

const YAML = `
assets:
  R101:
    model: { type: batchReactor }
    sensors: { temperature: {}, pressure: {}, flow_rate: {} }
sources: [ { id: sim, type: simulator, assets: [R101], intervalMs: 200 } ]
`;

describe.skipIf(!hasChromium())('the live page (needs chromium)', () => {
  test('shows the reactor moving, asks nobody else, and says when the service is gone', async () => {
    const service = await start(YAML);
    const browser = await startChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const requested = new Set<string>();
    const problems: string[] = [];
    page.on('request', (request) => requested.add(new URL(request.url()).origin));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(service.address);

    const reactor = page.locator('#assets > *', { hasText: 'R101' });
    const cell = (row: string, column: number): Promise<string> =>
      reactor
        .getByRole('row', { name: new RegExp(`^${row}`) })
        .first()
        .getByRole('cell')
        .nth(column)
        .innerText();
    await reactor.getByText('synchronised').waitFor();
    const before = Number(await cell('temperature', 0));
    expect(before).toBeGreaterThan(60);
    expect(before).toBeLessThan(110);
    await until(async () => {
      expect(Number(await cell('temperature', 0))).not.toBe(before);
      expect(Number(await cell('conversion', 0))).toBeGreaterThan(0);
    });
    expect(await page.locator('#sources').innerText()).toContain('simulates R101');
    expect([...requested]).toEqual([service.address]);
    expect(problems).toEqual([]);

    await service.stop();
    await page.getByText('Disconnected').waitFor();
  });
});
