export interface Slope {
  /** Least squares, y by x. */
  readonly slope: number;
  /** 95 % confidence bounds of the slope. */
  readonly lower: number;
  readonly upper: number;
}

/**
 * The straight line through points by least squares. The bounds take the points' distances from the line as independent and
 * normal, with Student's t approximated for n - 2 degrees of freedom.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const sxy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = sxy / sxx;
  const squares = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  if (n < 3 || !(sxx > 0)) return { slope, lower: -Infinity, upper: Infinity };
  const freedom = n - 2;
  // Within 1 % of the tables from 3 degrees of freedom on.
  const t = 1.96 + 2.4 / freedom + 3.6 / freedom ** 2;
  const half = t * Math.sqrt(squares / freedom / sxx);
  return { slope, lower: slope - half, upper: slope + half };
}
