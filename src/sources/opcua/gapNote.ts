import type { SavedGap } from './gaps.ts';

/** Writes down the gaps that are not filled; empty where there are none. The same list gives the same text again. */
export function gapNotes(): (unfinished: readonly SavedGap[]) => string {
  let last: { readonly gaps: readonly SavedGap[]; readonly text: string } | null = null;
  return (gaps) => {
    if (last?.gaps !== gaps) last = { gaps, text: gaps.length === 0 ? '' : JSON.stringify({ gaps }) };
    return last.text;
  };
}

/** What the process before wrote down; nothing where it cannot be read. */
export function savedGaps(note: string): SavedGap[] {
  try {
    const content: unknown = JSON.parse(note);
    const gaps: unknown =
      typeof content === 'object' && content !== null && 'gaps' in content ? content.gaps : [];
    return Array.isArray(gaps) ? gaps.filter(isSavedGap) : [];
  } catch {
    return [];
  }
}

const isSavedGap = (value: unknown): value is SavedGap =>
  Array.isArray(value) &&
  value.length === 3 &&
  typeof value[0] === 'string' &&
  Number.isFinite(value[1]) &&
  Number.isFinite(value[2]);
