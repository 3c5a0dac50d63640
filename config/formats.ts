import { shown } from './problems.ts';
import { resolveFrom } from './spec.ts';
import type { Leaf } from './spec.ts';
import { DEFAULT_ORIGIN, plainOf } from './tree.ts';
import type { Origin } from './tree.ts';

interface LeafOptions<T> {
  readonly doc: string;
  readonly default: T;
  readonly required?: boolean | undefined;
  readonly expected: string;
  readonly unit?: string | undefined;
  readonly secret?: boolean | undefined;
  /** How a wrong value is shown, where the usual way would tell a secret. */
  show?(value: unknown): string;
  accepts(value: unknown): value is T;
  parse?(text: string): unknown;
  /** Makes the value final, knowing where it was written. */
  finish?(value: T, origin: Origin): T;
}

function leaf<T>(options: LeafOptions<T>): Leaf<T> {
  const { doc, expected, unit = '', required = false, secret = false } = options;
  const complaint = (value: unknown): string =>
    `${secret ? '***' : (options.show ?? shown)(value)} is not valid, expected ${expected}`;
  return {
    doc,
    default: options.default,
    required,
    expected,
    unit,
    sensitive: secret,
    parse: (text) => (options.parse === undefined ? text : options.parse(text)),
    format(value) {
      if (!options.accepts(value)) throw new Error(complaint(value));
    },
    read(node, place, report) {
      const plain = node === undefined ? options.default : plainOf(node);
      if (node === undefined && required)
        report.problem(place.key, place.origin, `missing, expected ${expected}`);
      if (node !== undefined && !options.accepts(plain)) {
        report.problem(place.key, node.origin, complaint(plain));
        return options.default;
      }
      const origin = node?.origin ?? DEFAULT_ORIGIN;
      const value = options.accepts(plain) ? plain : options.default;
      const final = node === undefined ? value : (options.finish?.(value, origin) ?? value);
      report.value(place.key, final, origin, secret);
      return final;
    },
    leaves(key) {
      return [{ key, leaf: this }];
    },
  };
}

export interface NumberOptions {
  readonly unit?: string;
  /** Smallest value allowed; with `above`, the value itself is not. */
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
}

function numberLeaf(
  kind: string,
  doc: string,
  fallback: number | undefined,
  options: NumberOptions,
): Leaf<number> {
  const { min = -Infinity, above = -Infinity, max = Infinity } = options;
  const bounds = [
    ...(min > -Infinity ? [`>= ${min}`] : []),
    ...(above > -Infinity ? [`> ${above}`] : []),
    ...(max < Infinity ? [`<= ${max}`] : []),
  ].join(' and ');
  const unit = options.unit === undefined ? '' : ` (${options.unit})`;
  return leaf<number>({
    doc,
    default: fallback ?? 0,
    required: fallback === undefined,
    expected: `${kind}${bounds === '' ? '' : ` ${bounds}`}${unit}`,
    unit: options.unit,
    accepts: (value): value is number =>
      typeof value === 'number' &&
      Number.isFinite(value) &&
      (kind === 'a number' || Number.isSafeInteger(value)) &&
      value >= min &&
      value > above &&
      value <= max,
    parse: parseNumber,
  });
}

const parseNumber = (text: string): unknown =>
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : text;

/** A finite number; required if `fallback` is undefined. */
export const number = (
  doc: string,
  fallback: number | undefined,
  options: NumberOptions = {},
): Leaf<number> => numberLeaf('a number', doc, fallback, options);

/** A whole number; required if `fallback` is undefined. */
export const whole = (doc: string, fallback: number | undefined, options: NumberOptions = {}): Leaf<number> =>
  numberLeaf('a whole number', doc, fallback, options);

/** A TCP port; 0 = any free one. */
export const port = (doc: string, fallback: number): Leaf<number> =>
  whole(doc, fallback, { min: 0, max: 65_535 });

/** The longest time that a timer can take, in milliseconds: about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds. */
export const duration = (doc: string, fallback: number, min = 0): Leaf<number> =>
  whole(doc, fallback, { min, max: MAX_TIMER_MS, unit: 'ms' });

/** The same, or null. */
export function orNull<T>(inner: Leaf<T>, fallback: T | null = null): Leaf<T | null> {
  const allowed = (value: unknown): value is T | null => {
    if (value === null) return true;
    try {
      inner.format(value);
      return true;
    } catch {
      return false;
    }
  };
  return leaf<T | null>({
    doc: inner.doc,
    default: fallback,
    expected: `${inner.expected}, or null`,
    unit: inner.unit,
    accepts: allowed,
    parse: (text) => (text === 'null' ? null : inner.parse(text)),
  });
}

/** true or false. */
export const flag = (doc: string, fallback: boolean): Leaf<boolean> =>
  leaf<boolean>({
    doc,
    default: fallback,
    expected: 'true or false',
    accepts: (value): value is boolean => typeof value === 'boolean',
    parse: (text) => (text === 'true' || text === 'false' ? text === 'true' : text),
  });

/** One of the given words or numbers. */
export const choice = <const T extends string | number>(
  doc: string,
  fallback: T,
  allowed: readonly T[],
): Leaf<T> =>
  leaf<T>({
    doc,
    default: fallback,
    expected: `one of ${allowed.join(', ')}`,
    accepts: (value): value is T => allowed.some((each) => each === value),
    parse: (text) => allowed.find((each) => String(each) === text) ?? text,
  });

export interface TextOptions {
  readonly expected?: string;
  readonly secret?: boolean;
  readonly test?: (text: string) => boolean;
  readonly show?: (value: unknown) => string;
  readonly finish?: (text: string, origin: Origin) => string;
}

/** Text; required if `fallback` is undefined. */
export const text = (doc: string, fallback: string | undefined, options: TextOptions = {}): Leaf<string> =>
  leaf<string>({
    doc,
    default: fallback ?? '',
    required: fallback === undefined,
    expected: options.expected ?? 'text',
    secret: options.secret,
    accepts: (value): value is string =>
      typeof value === 'string' && !value.includes('\0') && (options.test?.(value) ?? true),
    ...(options.finish === undefined ? {} : { finish: options.finish }),
    ...(options.show === undefined ? {} : { show: options.show }),
  });

/** Text that is never shown; may be given as `<key>File` instead. */
export const secret = (doc: string): Leaf<string> => text(doc, '', { secret: true });

/** Path of something that the service reads; '' = none. Relative to the configuration file that names it. */
export const inputFile = (doc: string, fallback: string | undefined): Leaf<string> =>
  text(doc, fallback, {
    expected: fallback === undefined ? 'the path of a file' : `the path of a file, or ''`,
    test: (path) => path !== '' || fallback !== undefined,
    finish: (path, origin) => (path === '' ? '' : resolveFrom(origin, path)),
  });

/** An absolute URL of one of the protocols, with a host; '' where `fallback` is ''. */
export const url = (doc: string, fallback: string | undefined, protocols: readonly string[]): Leaf<string> =>
  text(doc, fallback, {
    expected: `a URL like ${protocols.map((name) => `${name}://host:port`).join(' or ')}${fallback === '' ? `, or ''` : ''}`,
    test: (value) => (value === '' ? fallback === '' : isUrl(value, protocols)),
    // A URL that cannot be parsed may hold its password anywhere before the last @.
    show: (value) => shown(typeof value === 'string' ? value.replace(/^.*@/s, '***@') : value),
  });

function isUrl(value: string, protocols: readonly string[]): boolean {
  const parsed = URL.parse(value);
  return (
    parsed !== null &&
    !/\s/.test(value) &&
    parsed.hostname !== '' &&
    parsed.port !== '0' &&
    protocols.includes(parsed.protocol.slice(0, -1))
  );
}

/** A list of texts, each passing `test`; required and not empty if `fallback` is undefined. */
export const texts = (
  doc: string,
  fallback: readonly string[] | undefined,
  options: { readonly expected: string; readonly test?: (text: string) => boolean; readonly files?: boolean },
): Leaf<readonly string[]> =>
  leaf<readonly string[]>({
    doc,
    default: fallback ?? [],
    required: fallback === undefined,
    expected: options.expected,
    accepts: (value): value is readonly string[] =>
      Array.isArray(value) &&
      value.length > 0 &&
      new Set(value).size === value.length &&
      value.every((item) => typeof item === 'string' && item !== '' && (options.test?.(item) ?? true)),
    parse: (list) => list.split(',').map((item) => item.trim()),
    finish: (values, origin) =>
      options.files === true ? values.map((path) => resolveFrom(origin, path)) : values,
  });

/** Two numbers of at least 0. */
export const pair = (doc: string, fallback: readonly [number, number]): Leaf<readonly [number, number]> =>
  leaf<readonly [number, number]>({
    doc,
    default: fallback,
    expected: 'a list of two numbers >= 0',
    accepts: (value): value is readonly [number, number] =>
      Array.isArray(value) &&
      value.length === 2 &&
      value.every((item) => typeof item === 'number' && Number.isFinite(item) && item >= 0),
  });

/** Three numbers above 0. */
export const triple = (
  doc: string,
  fallback: readonly [number, number, number],
): Leaf<readonly [number, number, number]> =>
  leaf<readonly [number, number, number]>({
    doc,
    default: fallback,
    expected: 'a list of three numbers > 0',
    accepts: (value): value is readonly [number, number, number] =>
      Array.isArray(value) &&
      value.length === 3 &&
      value.every((item) => typeof item === 'number' && Number.isFinite(item) && item > 0),
  });
