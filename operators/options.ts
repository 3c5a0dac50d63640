/** Checks shared by the operators' option resolvers: each throws a RangeError that names key, value and expectation. */

function fail(key: string, value: unknown, expected: string): never {
  throw new RangeError(`${key}: ${String(value)} is not valid, expected ${expected}`);
}

/** A finite number above `min`. */
export function numberAbove(key: string, value: number, min: number): number {
  return Number.isFinite(value) && value > min ? value : fail(key, value, `a number > ${min}`);
}

/** A finite number of at least `min`. */
export function numberAtLeast(key: string, value: number, min: number): number {
  return Number.isFinite(value) && value >= min ? value : fail(key, value, `a number >= ${min}`);
}

/** A whole number from `min` to `max`. */
export function integerBetween(
  key: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` and <= ${max}`;
  return fail(key, value, `a whole number >= ${min}${upper}`);
}

/** One of the given words. */
export function oneOf<T extends string>(key: string, value: T, allowed: readonly T[]): T {
  return allowed.includes(value) ? value : fail(key, value, `one of ${allowed.join(', ')}`);
}

/**
 * Resolves a frozen options object once, so that the operators of many sensors that are composed with the same one share
 * the result. Options that could still change are resolved each time.
 */
export function resolvedOnce<O extends object, R>(resolve: (options: O) => R): (options: O) => R {
  const known = new WeakMap<O, R>();
  return (options) => {
    const before = known.get(options);
    if (before !== undefined) return before;
    const resolved = resolve(options);
    if (Object.isFrozen(options)) known.set(options, resolved);
    return resolved;
  };
}
