/** Times kept at most; beyond, every second one goes. */
const MAX_MARKS = 2048;

/** When commits happened, to tell the age of the oldest one that is not forwarded yet. */
export interface CommitTimes {
  /** Commits in growing order. */
  add(commit: number, at: number): void;
  /** Time of the first known commit after `through`; null where none is known. */
  firstAfter(through: number): number | null;
}

export function createCommitTimes(): CommitTimes {
  let marks: { readonly commit: number; readonly at: number }[] = [];
  return {
    add(commit, at) {
      marks.push({ commit, at });
      // The first stays: it is the age that is asked for.
      if (marks.length > MAX_MARKS) marks = marks.filter((_, i) => i % 2 === 0);
    },
    firstAfter(through) {
      const first = marks.findIndex(({ commit }) => commit > through);
      marks = first < 0 ? [] : marks.slice(first);
      return marks[0]?.at ?? null;
    },
  };
}
