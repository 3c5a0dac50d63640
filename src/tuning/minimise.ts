interface Vertex {
  readonly at: readonly number[];
  readonly value: number;
}

/**
 * The smallest value of f near a start, by a simplex that walks downhill (Nelder and Mead 1965).
 *
 * @param size of the first simplex, the same in each direction.
 * @param count evaluations of f at most, some two more included.
 */
export function minimise(
  f: (at: readonly number[]) => number,
  start: readonly number[],
  { size, tolerance, count }: { readonly size: number; readonly tolerance: number; readonly count: number },
): Vertex {
  let left = count;
  const vertex = (at: readonly number[]): Vertex => {
    left -= 1;
    const value = f(at);
    return { at, value: Number.isNaN(value) ? Infinity : value };
  };
  const corners = start.map((_, i) => start.map((x, k) => (k === i ? x + size : x)));
  let simplex = [start, ...corners].map(vertex).sort(byValue);
  for (;;) {
    const [best] = simplex;
    const worst = simplex.at(-1);
    if (best === undefined || worst === undefined)
      throw new RangeError('start: expected at least one number');
    const width = Math.max(
      ...start.map((_, i) =>
        Math.max(...simplex.map(({ at }) => Math.abs((at[i] ?? 0) - (best.at[i] ?? 0)))),
      ),
    );
    if (left <= 0 || width < tolerance) return best;
    const others = simplex.slice(0, -1);
    const centre = start.map((_, i) => others.reduce((sum, { at }) => sum + (at[i] ?? 0), 0) / others.length);
    const towards = (far: number): Vertex => vertex(centre.map((c, i) => c + far * ((worst.at[i] ?? 0) - c)));
    const mirrored = towards(-1);
    let next = mirrored;
    if (mirrored.value < best.value) {
      const further = towards(-2);
      if (further.value < mirrored.value) next = further;
    } else if (mirrored.value >= (others.at(-1)?.value ?? Infinity)) {
      next = towards(mirrored.value < worst.value ? -0.5 : 0.5);
      if (next.value >= Math.min(mirrored.value, worst.value)) {
        simplex = [
          best,
          ...simplex.slice(1).map(({ at }) => vertex(at.map((x, i) => (x + (best.at[i] ?? 0)) / 2))),
        ];
        simplex.sort(byValue);
        continue;
      }
    }
    simplex = [...others, next].sort(byValue);
  }
}

const byValue = (a: Vertex, b: Vertex): number => a.value - b.value;
