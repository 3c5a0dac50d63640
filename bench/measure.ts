import { childProcess } from './child.ts';
import type { Bench, BenchOptions, Measure } from './support.ts';

/** One benchmark in a process of its own; `run.ts` starts it. */
await childProcess<BenchOptions & { readonly file: string }>(
  import.meta.url,
  async ({ file, quick }): Promise<Measure[]> => {
    const { measure } = (await import(file)) as { measure: Bench };
    return measure({ quick });
  },
);
