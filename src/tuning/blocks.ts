import type { Run } from './runs.ts';

/** Readings in one block: long enough for any filter to settle in it. */
export const BLOCK_SIZE = 1024;

interface Block {
  readonly index: number;
  /** Does not go on where the block before ended. */
  readonly isStart: boolean;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * A sample of a recording of any length in bounded memory: all of it while there is room, then every second block of
 * contiguous readings, every fourth, and so on.
 */
export class BlockSample {
  #blocks: Block[] = [];
  #stride = 1;
  #index = 0;
  #isStart = true;
  #times: number[] = [];
  #values: number[] = [];
  #length = 0;

  /** @param room blocks held at most; >= 2, may become smaller from call to call. */
  push(time: number, value: number, room: number): void {
    if (this.#index % this.#stride === 0) {
      this.#times.push(time);
      this.#values.push(value);
    }
    this.#length += 1;
    if (this.#length === BLOCK_SIZE) this.#close(false, room);
  }

  /** What comes next does not go on from what came before. */
  cut(room: number): void {
    if (this.#length > 0) this.#close(true, room);
  }

  /** The blocks, those that follow one another as one run. */
  runs(room: number): readonly Run[] {
    this.cut(room);
    const groups: Block[][] = [];
    for (const block of this.#blocks) {
      const last = groups.at(-1);
      const goesOn = !block.isStart && last?.at(-1)?.index === block.index - 1;
      if (goesOn) last.push(block);
      else groups.push([block]);
    }
    return groups.map((blocks) => ({
      times: together(blocks.map(({ times }) => times)),
      values: together(blocks.map(({ values }) => values)),
    }));
  }

  #close(cut: boolean, room: number): void {
    if (this.#times.length > 0) {
      this.#blocks.push({
        index: this.#index,
        isStart: this.#isStart,
        times: Float64Array.from(this.#times),
        values: Float64Array.from(this.#values),
      });
      this.#times = [];
      this.#values = [];
    }
    this.#index += 1;
    this.#length = 0;
    this.#isStart = cut;
    while (this.#blocks.length > room) {
      this.#stride *= 2;
      this.#blocks = this.#blocks.filter(({ index }) => index % this.#stride === 0);
    }
  }
}

function together(parts: readonly Float64Array[]): Float64Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of parts) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}
