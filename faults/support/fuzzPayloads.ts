import { createRandom } from '../../src/plant/random.ts';
import type { Random } from '../../src/plant/random.ts';

/** What a fuzzed message was made as; it may have become something else on the way, a valid reading even. */
export const FUZZ_KINDS = [
  'mutated',
  'nested',
  'hugeNumber',
  'notUtf8',
  'binary',
  'wrongType',
  'array',
  'oversized',
  'hostileTopic',
  'hostileKey',
  'unit',
  'valid',
] as const;
export type FuzzKind = (typeof FUZZ_KINDS)[number];

export interface FuzzMessage {
  readonly kind: FuzzKind;
  readonly topic: string;
  readonly payload: Buffer;
  /** Readings and dead letters that it must become: one, or as many as an array has elements. */
  readonly events: number;
}

export interface FuzzOptions {
  readonly seed: number;
  /** Epoch milliseconds around which timestamps lie. */
  readonly around: number;
  /** The service's bound on a payload. */
  readonly maxPayloadBytes: number;
}

/** Assets that no numbered reading uses begin so. */
export const FUZZ_PREFIX = 'FUZZ';
const ASSETS = 10;
const SENSORS = ['temperature', 'pressure', 'flow_rate', 'ph', 'level', 'speed'] as const;
/** More elements in an array than a service takes. */
const MAX_ELEMENTS = 10_000;

/** Names as they may stand in a topic: what is read as a name of its own is marked. */
const HOSTILE_NAMES: readonly (readonly [name: string, accepted: boolean])[] = [
  ['__proto__', true],
  ['constructor', true],
  ['toString', true],
  ['hasOwnProperty', true],
  ['..', true],
  ['.', true],
  ['-', true],
  ['NaN', true],
  ['null', true],
  ['n'.repeat(128), true],
  ['n'.repeat(129), false],
  ['n'.repeat(5000), false],
  ['', false],
  [' ', false],
  ["'; DROP TABLE readings; --", false],
  ['"quoted"', false],
  ['<script>alert(1)<!--', false],
  ['%2e%2e%2f', false],
  ['..\\..\\windows', false],
  ['${jndi:ldap:x}', false],
  ['Ω-reactor', false],
  ['反应器', false],
  ['😀', false],
  ['e\u0301', false],
  ['\u202Etxet', false],
  ['a b', false],
  ['a,b=c', false],
  ['{asset}', false],
  ['$share', false],
];

const NUMBERS = [
  '1e400',
  '-1e400',
  '1e308',
  '-1.7976931348623157e308',
  '5e-324',
  '1e-400',
  '-0',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1e-5000',
  '1e99999999999',
  'NaN',
  'Infinity',
  '-Infinity',
  '0x1F',
  '1_000',
  '01',
  '.5',
  '5.',
  '+1',
  '1e',
  '--1',
];
const WRONG = [
  '"85"',
  '"NaN"',
  'true',
  'false',
  '[]',
  '[85]',
  '{}',
  '{"value":85}',
  '""',
  'null',
  '[[[]]]',
  '"\\u0000"',
  '"\\ud800"',
];
const TIMES = [
  '"2025-02-30T00:00:00Z"',
  '"0000-00-00T00:00:00Z"',
  '"9999-12-31T23:59:59Z"',
  '"1969-12-31T23:59:59Z"',
  '"now"',
  '-1',
  '1e300',
  '8.64e15',
  '0',
  '0.5',
  '"2025-01-01"',
  '"2025-01-01T25:00:00Z"',
  '"2025-01-01T00:00:00+99:99"',
  '[1]',
  '{}',
  'true',
];
const KEYS = ['__proto__', 'constructor', 'toJSON', 'length', 'reason', 'at', 'received', 'row', 'valueOf'];

/** An endless sequence of messages; the same seed gives the same ones. */
export function fuzzer({ seed, around, maxPayloadBytes }: FuzzOptions): () => FuzzMessage {
  const random = createRandom(seed);
  const int = (below: number): number => Math.floor(random.uniform() * below);
  const one = <T>(from: readonly [T, ...T[]] | readonly T[]): T => {
    const found = from[int(from.length)];
    if (found === undefined) throw new RangeError('nothing to choose from');
    return found;
  };
  const asset = (): string => `${FUZZ_PREFIX}${int(ASSETS)}`;
  const topic = (): string => `reactor/${asset()}/sensor/${one(SENSORS)}`;
  const number = (): string => (80 + 5 * random.normal()).toFixed(int(6));
  const time = (): string => {
    const at = around + Math.round(random.normal() * 30_000);
    return int(2) === 0 ? String(at) : `"${new Date(at).toISOString()}"`;
  };
  const valid = (): string =>
    `{"value":${number()},"unit":"${one(['', 'degC', 'degF', 'K', 'MPa', 'bar'])}","timestamp":${time()},"quality":"${one(['Good', 'Uncertain', 'Bad', 'good'])}"}`;
  const bytes = (count: number): Buffer => {
    const made = Buffer.allocUnsafe(count);
    for (let i = 0; i < count; i += 1) made[i] = int(256);
    return made;
  };
  const text = (made: string): Buffer => Buffer.from(made);

  const element = (): string =>
    one<() => string>([
      valid,
      valid,
      number,
      () => one(WRONG),
      () => one(NUMBERS.slice(0, 11)),
      () => `[${valid()}]`,
    ])();

  const makers: Readonly<Record<Exclude<FuzzKind, 'hostileTopic'>, () => Buffer>> = {
    mutated: () => mutated(text(valid()), random),
    nested: () => {
      const depth = int(50) === 0 ? 1 + int(30_000) : 1 + int(500);
      const [open, inner, close] = one([
        ['[', '85', ']'],
        ['{"value":', '85', '}'],
        ['[{"value":', '1', '}]'],
        ['{"unit":"degC","a":[', '', ']}'],
      ] as const);
      const closed = int(4) === 0 ? int(depth) : depth;
      return text(open.repeat(depth) + inner + close.repeat(closed)).subarray(0, maxPayloadBytes);
    },
    hugeNumber: () =>
      text(
        one<() => string>([
          () => one(NUMBERS),
          () => `{"value":${one(NUMBERS)}}`,
          () => `{"value":${'9'.repeat(1 + int(1000))}}`,
          () => `{"value":0.${'0'.repeat(int(1000))}1}`,
          () => `{"value":${number()},"timestamp":${one(NUMBERS)}}`,
        ])(),
      ),
    notUtf8: () => {
      const made = text(valid());
      for (let i = 1 + int(3); i > 0; i -= 1) made[int(made.length)] = 128 + int(128);
      return made;
    },
    binary: () => bytes(int(200)),
    wrongType: () =>
      text(
        one<() => string>([
          () => `{"value":${one(WRONG)}}`,
          () => `{"value":${number()},"unit":${one(WRONG)}}`,
          () => `{"value":${number()},"timestamp":${one(TIMES)}}`,
          () => `{"value":${number()},"quality":${one(WRONG)}}`,
          () => one(WRONG),
          () => '',
        ])(),
      ),
    array: () => {
      if (int(2000) === 0) return text(`[${'1,'.repeat(MAX_ELEMENTS + int(5))}1]`);
      return text(`[${Array.from({ length: int(12) }, element).join(',')}]`);
    },
    oversized: () => {
      const filler = 'x'.repeat(maxPayloadBytes + int(20_000));
      return text(
        one<() => string>([() => filler, () => `{"value":1,"unit":"${filler}"}`, () => `[${filler}]`])(),
      );
    },
    hostileKey: () =>
      text(
        `{"${one(KEYS)}":${one([...WRONG, '{"value":1,"asset":"R1"}', '1'])},"value":${one([number(), ...WRONG])}}`,
      ),
    // A sender that never says the same unit twice.
    unit: () => text(`{"value":${number()},"unit":"u${int(1e9).toString(36)}"}`),
    valid: () => text(valid()),
  };
  const weighted: readonly FuzzKind[] = [
    ...(['mutated', 'mutated', 'mutated', 'mutated', 'hugeNumber', 'hugeNumber', 'notUtf8'] as const),
    ...([
      'binary',
      'wrongType',
      'wrongType',
      'array',
      'nested',
      'hostileKey',
      'valid',
      'hostileTopic',
    ] as const),
  ];

  return () => {
    // The costly ones are rare, so that there can be many of the others.
    const dice = int(1000);
    const kind = dice === 0 ? 'oversized' : dice < 10 ? 'unit' : one(weighted);
    if (kind === 'hostileTopic') {
      const [name, accepted] = one(HOSTILE_NAMES);
      const inAsset = int(2) === 0;
      const at = inAsset ? `reactor/${name}/sensor/${one(SENSORS)}` : `reactor/${asset()}/sensor/${name}`;
      const payload = int(2) === 0 ? makers.valid() : makers.mutated();
      return { kind, topic: at, payload, events: accepted ? eventsOf(payload, maxPayloadBytes) : 1 };
    }
    const payload = makers[kind]();
    return { kind, topic: topic(), payload, events: eventsOf(payload, maxPayloadBytes) };
  };
}

/** Bytes flipped, cut out, doubled, put in; or the end cut off. */
function mutated(from: Buffer, random: Random): Buffer {
  const int = (below: number): number => Math.floor(random.uniform() * below);
  let made = Buffer.from(from);
  for (let i = 1 + int(4); i > 0 && made.length > 0; i -= 1) {
    const at = int(made.length);
    const to = Math.min(made.length, at + 1 + int(8));
    switch (int(6)) {
      case 0:
        made[at] = (made[at] ?? 0) ^ (1 << int(8));
        break;
      case 1:
        made = Buffer.concat([made.subarray(0, at), made.subarray(to)]);
        break;
      case 2:
        made = Buffer.concat([made.subarray(0, to), made.subarray(at)]);
        break;
      case 3:
        made = made.subarray(0, at);
        break;
      case 4:
        made = Buffer.concat([made.subarray(0, at), Buffer.from([int(256)]), made.subarray(at)]);
        break;
      default:
        made[at] = '{}[]:,"\\0e-. \n'.charCodeAt(int(15));
    }
  }
  return made;
}

/** Told without the service's decoder: only an array of allowed length is more than one event. */
function eventsOf(payload: Buffer, maxPayloadBytes: number): number {
  if (payload.length > maxPayloadBytes) return 1;
  // Only what begins like an array is worth parsing: blanks, a byte order mark, a bracket.
  const first = payload[0];
  if (first !== 0x5b && first !== 0xef && (first === undefined || first > 0x20)) return 1;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    const length = Array.isArray(parsed) ? parsed.length : 1;
    return length >= 1 && length <= MAX_ELEMENTS ? length : 1;
  } catch {
    return 1;
  }
}
