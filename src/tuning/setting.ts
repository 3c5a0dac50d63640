/** A value of the configuration. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** One key of a sensor's configuration, as proposed. */
export interface Setting {
  readonly key: string;
  /** undefined: nothing is proposed; the note says why. */
  readonly value: Plain | undefined;
  readonly note: string;
}

/** For people: four significant digits, without the zeros at the end. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)));

export function percent(share: number): string {
  if (share === 0) return '0 %';
  const value = share * 100;
  return value < 0.01 ? '<0.01 %' : `${Number(value.toPrecision(value < 1 ? 1 : value < 99 ? 2 : 3))} %`;
}

export function durationText(ms: number): string {
  if (ms < 1000) return `${shown(ms)} ms`;
  const [value, unit] =
    ms < 120_000
      ? [ms / 1000, 's']
      : ms < 7_200_000
        ? [ms / 60_000, 'min']
        : ms < 172_800_000
          ? [ms / 3_600_000, 'h']
          : [ms / 86_400_000, 'days'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
