/**
 * A process of its own for the fault tests: `node committer.ts PATH (endless | COMMITS) [ROWS [close | kill]]`. Commits
 * batch after batch behind what is there, prints a line for each (`done N` or `failed N message`), and commits a failed
 * one again when told to on stdin. In the end it prints `end`; `kill`: without closing the store.
 */
import { createInterface } from 'node:readline';
import { openStore } from '../../src/store/duckdb.ts';

const [path = '', mode = 'endless', size, end = 'close'] = process.argv.slice(2);
const warn = (detail: object, message: string): void =>
  console.log(`warn ${message} ${JSON.stringify(detail)}`);
const store = await openStore(
  { path, retentionDays: 30, memoryLimitMb: 128, maxDeadLetters: 100 },
  { info: () => undefined, warn },
);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const rows = Number(size ?? (mode === 'endless' ? 7 : 1000));
const before = store.lastRow;

for (let n = 1; mode === 'endless' || n <= Number(mode); n++) {
  const readings = Array.from({ length: rows }, (_, i) => {
    const row = before + (n - 1) * rows + i + 1;
    const received = {
      row,
      source: 'plant',
      position: row,
      arrivedAt: row,
      value: row + Math.random(),
      unit: '',
      quality: 'Good' as const,
    };
    return {
      asset: 'A',
      sensor: `s${row % 5}`,
      timestamp: row,
      value: received.value,
      unit: '',
      quality: 'Good' as const,
      issues: [],
      imputed: false,
      received,
      estimate: null,
    };
  });
  const lastRow = before + n * rows;
  const positions = new Map([['plant', lastRow]]);
  const batch = {
    lastRow,
    readings,
    held: [],
    ticks: [],
    smoothed: [],
    windows: [],
    twins: [],
    anomalies: [],
    deadLetters: [],
    positions,
  };
  for (;;) {
    try {
      await store.commit(batch);
      break;
    } catch (error) {
      const stored = await store
        .range({ asset: 'A', sensor: 's0', start: 0, end: 1e9, limit: 1e6 })
        .catch(String);
      const kept = typeof stored === 'string' ? stored : String(stored.length);
      console.log(`failed ${n} ${store.lastRow} ${kept} ${String(error).split('\n')[0] ?? ''}`);
      await input.next();
    }
  }
  console.log(`done ${n}`);
}
console.log('end');
if (end === 'kill') process.kill(process.pid, 'SIGKILL');
await store.close();
console.log('closed');
process.exit(0);
