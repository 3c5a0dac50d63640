import { originText } from './tree.ts';
import type { Origin } from './tree.ts';

/** One thing wrong with the configuration. */
export interface Problem {
  /** `file:line` or, where no line is known, the file; `env NAME` for an environment variable. */
  readonly file: string;
  /** Dotted path; '' where the file as a whole is meant. */
  readonly key: string;
  /** The value (secrets masked) and what was expected. */
  readonly problem: string;
}

/** `file: key: problem`, one line. */
export const problemText = ({ file, key, problem }: Problem): string =>
  [file, key, problem].filter((part) => part !== '').join(': ');

/** All that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(problemText).join('\n'), options);
    this.problems = problems;
  }
}

/** Where one effective value came from, for people. */
export interface Provenance {
  readonly key: string;
  /** As JSON, secrets masked. */
  readonly value: string;
  /** `default`, `file:line` or `env NAME`. */
  readonly source: string;
}

/** The same problems, each with the file and line of the value that it is about or, failing that, of one beside it. */
export function located({ problems }: ConfigError, sources: readonly Provenance[]): ConfigError {
  const sourceOf = (key: string): string | undefined =>
    sources.find(
      (value) => value.source !== 'default' && (value.key === key || value.key.startsWith(`${key}.`)),
    )?.source;
  return new ConfigError(
    problems.map((problem) => ({ ...problem, file: sourceOf(problem.key) ?? problem.file })),
  );
}

/** Collects problems and provenance while a configuration is read. */
export class Report {
  readonly problems: Problem[] = [];
  readonly provenance: Provenance[] = [];
  /** Problems met, those told before included. */
  count = 0;
  readonly #seen = new WeakMap<Origin, Set<string>>();

  /** The same problem of the same written value is told once, however many sensors inherit it. */
  problem(key: string, origin: Origin, problem: string): void {
    this.count += 1;
    const seen = this.#seen.get(origin) ?? new Set<string>();
    this.#seen.set(origin, seen);
    const about = `${origin.kind === 'default' ? key : key.slice(key.lastIndexOf('.') + 1)} ${problem}`;
    if (seen.has(about)) return;
    seen.add(about);
    this.problems.push({ file: originText(origin), key, problem });
  }

  value(key: string, value: unknown, origin: Origin, secret: boolean): void {
    const empty = value === '' || value === null;
    const shown = secret && !empty ? '***' : maskText(JSON.stringify(value));
    this.provenance.push({ key, value: shown, source: originText(origin) });
  }
}

/** User name and password of a URL, and secrets in its query, masked. */
export const maskText = (text: string): string =>
  text
    .replace(/\/\/[^\s"]*@/g, '//***@')
    .replace(/([?&](?:[a-z_-]*(?:token|password|secret|key))=)[^&\s"]*/gi, '$1***');

/** A value as an error message shows it: short, in one line, without secrets. */
export function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.length > 8) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a map';
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    return `a list of ${value.length}`;
  }
  const text = Array.isArray(value)
    ? `[${value.map((item: unknown) => shown(item)).join(', ')}]`
    : maskText(JSON.stringify(value));
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/** A key that may have been typed by anybody: printable and short. */
export const shownKey = (key: string): string => (/^[\w.$/-]{1,100}$/.test(key) ? key : shown(key));

/** `; did you mean "x"?`, or '' where nothing known is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const simple = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, '');
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(simple(word), simple(candidate));
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : `; did you mean "${best}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
