import { parseArgs } from 'node:util';
import { anyNumbers, anySpacing } from './health.ts';

/* node bench/estimation/runHealth.ts [--steps 10000000] [--seed 1]: P at any spacing, and any finite numbers. */

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000000' }, seed: { type: 'string', default: '1' } },
});
for (const [name, run] of Object.entries({ anySpacing, anyNumbers })) {
  const before = process.cpuUsage();
  const { steps, estimates, faults } = run(Number(values.steps), Number(values.seed));
  const { user, system } = process.cpuUsage(before);
  console.log(
    `${name}: ${steps} steps, ${estimates} estimates, ${faults.length} faults, ${((user + system) / 1e6).toFixed(0)} s of CPU`,
  );
  for (const fault of faults) console.log(`  ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
