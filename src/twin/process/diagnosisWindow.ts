import { at } from './squareRoot.ts';

/** Measurements of one sensor over one block of time. */
export interface Averaged {
  readonly mean: number;
  readonly count: number;
  /** Sum of the squares about the mean. */
  readonly spread: number;
  /** Variance of a single measurement. */
  readonly r: number;
}

export interface Block {
  readonly durationS: number;
  /** By compared quantity, null where nothing was measured. */
  readonly y: readonly (Averaged | null)[];
  /** By input, null where it was not told. */
  readonly u: readonly (Averaged | null)[];
}

/** Some blocks in a row, with what was believed before the first of them. */
export interface Segment {
  readonly atS: number;
  readonly z: readonly number[];
  readonly s: readonly number[];
  /** Inputs as they were held. */
  readonly u: readonly number[];
  readonly blocks: Block[];
}

interface Running {
  mean: number;
  count: number;
  spread: number;
  r: number;
  /** The same of the measurements that were not believed: too many of them are no spikes. */
  otherMean: number;
  otherCount: number;
  otherSpread: number;
}

/** The last measurements, averaged over blocks: what hypotheses are tried on. Plain data. */
export interface History {
  segments: Segment[];
  blockS: number;
  y: Running[];
  u: Running[];
}

export const SEGMENT_BLOCKS = 12;

const running = (): Running => ({
  ...{ mean: 0, count: 0, spread: 0, r: 0 },
  ...{ otherMean: 0, otherCount: 0, otherSpread: 0 },
});
export const history = (quantities: number, inputs: number): History => ({
  segments: [],
  blockS: 0,
  y: Array.from({ length: quantities }, running),
  u: Array.from({ length: inputs }, running),
});

/** One measurement of the block that is being filled. */
export function measured(of: Running | undefined, value: number, r: number, believed: boolean): void {
  if (of === undefined) return;
  of.r = r;
  if (believed) {
    of.count += 1;
    const off = value - of.mean;
    of.mean += off / of.count;
    of.spread += off * (value - of.mean);
    return;
  }
  of.otherCount += 1;
  const off = value - of.otherMean;
  of.otherMean += off / of.otherCount;
  of.otherSpread += off * (value - of.otherMean);
}

/** Ends the block and begins the next. */
export function closeBlock(own: History): Block {
  const block = { durationS: own.blockS, y: own.y.map(averaged), u: own.u.map(averaged) };
  for (const list of [own.y, own.u]) {
    for (const each of list) {
      each.mean = each.count = each.spread = 0;
      each.otherMean = each.otherCount = each.otherSpread = 0;
    }
  }
  own.blockS = 0;
  return block;
}

function averaged(of: Running): Averaged | null {
  const { r } = of;
  if (of.otherCount > of.count) {
    return { mean: of.otherMean, count: of.otherCount, spread: of.otherSpread, r };
  }
  return of.count === 0 ? null : { mean: of.mean, count: of.count, spread: of.spread, r };
}

/** Begins of the blocks, seconds after the first one's, and the end of the last. */
export function startsOf(blocks: readonly Block[]): number[] {
  const starts = [0];
  for (const { durationS } of blocks) starts.push(at(starts, starts.length - 1) + durationS);
  return starts;
}

export const blocksOf = (own: History): number =>
  own.segments.reduce((count, { blocks }) => count + blocks.length, 0);

/** From which block on a sensor's measurements have all been the very same, where they were not always; null: they are not. */
export function stuckFrom(blocks: readonly (Averaged | null)[]): number | null {
  let from = blocks.length;
  let value: number | null = null;
  let count = 0;
  for (let k = blocks.length - 1; k >= 0; k--) {
    const block = blocks[k];
    if (block === undefined || block === null) continue;
    if (block.spread > 1e-9 * block.r || (value !== null && (block.mean - value) ** 2 > 1e-9 * block.r))
      break;
    value = block.mean;
    count += block.count;
    from = k;
  }
  let lively = 0;
  for (let k = 0; k < from; k++) {
    const block = blocks[k];
    if (block && block.count > 1 && block.spread > LIVELY * block.r * (block.count - 1)) lively += 1;
  }
  return count >= STUCK_COUNT && lively > from / 2 && at([from], 0) > 0 ? from : null;
}

/** Measurements in a row that are the same by chance never, and the least that noise does. */
const STUCK_COUNT = 30;
const LIVELY = 0.05;
