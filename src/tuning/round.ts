/** To three significant digits, as nobody trusts more of an estimate. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

/** Up, to one of 1, 1.5, 2, 3, 5 or 7 times a power of ten: a limit. value > 0. */
export function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 5, 7, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return Number((step * power).toPrecision(3));
}
