import { at } from './squareRoot.ts';

/** Running averages of the inputs, by input; null before its first measurement. Plain data. */
export type InputAverages = (number | null)[];

/** Measured inputs without most of their noise: exponential averages over about `averageS` seconds; 0 = as last measured. */
export function inputAverages(count: number, averageS: number) {
  const inputs = new Float64Array(count);
  return {
    initial: (): InputAverages => Array.from({ length: count }, () => null),
    take(own: InputAverages, index: number, value: number, intervalS: number): void {
      const mean = own[index] ?? null;
      const share = averageS === 0 ? 1 : 1 - Math.exp(-intervalS / averageS);
      own[index] = mean === null ? value : mean + share * (value - mean);
    },
    /** All inputs; those not measured are as `u` has them. Good until the next call. */
    of(own: InputAverages, u: ArrayLike<number>): Float64Array {
      for (let i = 0; i < count; i++) inputs[i] = own[i] ?? at(u, i);
      return inputs;
    },
  };
}
