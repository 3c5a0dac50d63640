import { readFileSync } from 'node:fs';

/** SI units: mol/m3, K, s; `p`, `u`, `x` in the order of the model; but `golden` in mol/L and minutes. */
export interface CstrFixture {
  readonly golden: readonly {
    readonly name: string;
    readonly coolant: number;
    readonly stepMin: number;
    readonly concentration: readonly number[];
    readonly temperature: readonly number[];
  }[];
  readonly reference: readonly {
    readonly name: string;
    readonly jacket: boolean;
    readonly stepS: number;
    readonly p: readonly number[];
    readonly u: readonly number[];
    readonly x: readonly number[];
    readonly states: readonly (readonly number[])[];
  }[];
  readonly steady: readonly {
    readonly coolant: number;
    readonly k0: number;
    readonly states: readonly (readonly number[])[];
  }[];
}

export const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/cstr.json', import.meta.url), 'utf8'),
) as CstrFixture;

/** The largest relative difference. */
export const difference = (values: ArrayLike<number>, expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs((values[i] ?? NaN) / value - 1)));
