import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';

/** Written at the end of every build. */
const STAMP = 'dist/.built';
const SOURCES = ['{operators,src,config}/**/*.ts', 'tsconfig*.json', 'package-lock.json'];

/** Builds only where a source is newer than the last build, so that a start need not wait for the compiler. */
const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (globSync(SOURCES).some((file) => statSync(file).mtimeMs > built)) {
  const { status } = spawnSync('npm run build', { stdio: 'inherit', shell: true });
  process.exitCode = status ?? 1;
}
