/** Times kept at most; beyond, only some that are further apart. */
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
  let apartMs = 0;
  const spaced = (): typeof marks => {
    let before = -Infinity;
    return marks.filter(({ at }) => {
      const far = at - before >= apartMs;
      if (far) before = at;
      return far;
    });
  };
  return {
    add(commit, at) {
      const newest = marks.at(-1);
      if (newest === undefined) apartMs = 0;
      else if (at >= newest.at && at - newest.at < apartMs) return;
      marks.push({ commit, at });
      while (marks.length > MAX_MARKS) {
        apartMs = Math.max(1, apartMs * 2);
        marks = spaced();
      }
    },
    firstAfter(through) {
      const first = marks.findIndex(({ commit }) => commit > through);
      marks = first < 0 ? [] : marks.slice(first);
      return marks[0]?.at ?? null;
    },
  };
}
