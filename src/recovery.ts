import type { Checkpoint } from './checkpoint/format.ts';
import type { Processor } from './processor.ts';
import type { SavedState } from './stateRegistry.ts';
import type { RecordedInput, Store } from './store/store.ts';

export interface Recovered {
  /** Row up to which the checkpoint counted; 0 without one. */
  readonly from: number;
  /** Inputs that ran once more. */
  readonly rerun: number;
}

/**
 * What the operators of one asset already count. While the checkpoint was taken, asset by asset, the pipeline went on: up
 * to its end, inputs are run only for the assets that do not count them yet.
 */
export class Progress {
  /** Assets that have not reached the clock of the input that is run now. */
  readonly asleep = new Set<string>();
  readonly from: number;
  readonly to: number;
  readonly states: readonly SavedState[];
  /** Assets by the row that they count, ascending. */
  readonly #sleepers: { readonly asset: string; readonly row: number }[];
  readonly #rows: ReadonlyMap<string, number>;

  constructor(checkpoint: Checkpoint | null) {
    const assets = checkpoint?.assets ?? [];
    this.from = checkpoint?.from ?? 0;
    this.to = checkpoint?.to ?? 0;
    this.states = assets.flatMap(({ states }) => states);
    this.#rows = new Map(assets.map(({ asset, row }) => [asset, row]));
    this.#sleepers = assets
      .filter(({ row }) => row > this.from)
      .map(({ asset, row }) => ({ asset, row }))
      .toSorted((a, b) => b.row - a.row);
    for (const { asset } of this.#sleepers) this.asleep.add(asset);
  }

  /** Whether the input is still to be run; wakes the assets that it finds behind it. */
  isDue({ row, input }: RecordedInput): boolean {
    for (
      let next = this.#sleepers.at(-1);
      next !== undefined && next.row < row;
      next = this.#sleepers.at(-1)
    ) {
      this.asleep.delete(next.asset);
      this.#sleepers.pop();
    }
    return 'at' in input || row > (this.#rows.get(input.asset) ?? this.from);
  }

  done(): void {
    this.asleep.clear();
    this.#sleepers.length = 0;
  }
}

/**
 * Runs the rows behind a checkpoint through the operators. They are deterministic, and every input was recorded with the
 * clock that it came at, so this gives the very states of before.
 */
export async function recover(
  progress: Progress,
  store: Pick<Store, 'inputsAfter'>,
  processor: Pick<Processor, 'rerun'>,
  onProgress: (rerun: number) => void = () => undefined,
): Promise<Recovered> {
  let rerun = 0;
  for await (const inputs of store.inputsAfter(progress.from)) {
    for (const input of inputs) {
      if (!progress.isDue(input)) continue;
      processor.rerun(input);
      rerun += 1;
    }
    onProgress(rerun);
  }
  progress.done();
  return { from: progress.from, rerun };
}
