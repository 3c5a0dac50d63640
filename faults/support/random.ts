/** A whole number from 0 to 2^32 - 1 that depends on all of the numbers and on nothing else (finaliser of MurmurHash3). */
export function mixed(...numbers: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const number of numbers) {
    h = Math.imul(h ^ (number >>> 0), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/** From 0 (included) to 1 (not), by seed and call: the same seed gives the same numbers. */
export function randomOf(seed: number): () => number {
  let calls = 0;
  return () => mixed(seed, (calls += 1)) / 2 ** 32;
}
