import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../../config/types.ts';

const SECRETS = ['password', 'token', 'authorization', 'secret', 'passphrase', 'Authorization'];

/** Secrets on the first levels of a logged object. */
const REDACTED = SECRETS.flatMap((key) => ['', '*.', '*.*.', '*.*.*.'].map((prefix) => `${prefix}${key}`));

/** User and password of a URL, wherever one stands in a text. */
const CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]*@/gi;

export const maskUrl = (text: string): string => text.replace(CREDENTIALS, '$1***@');

/** JSON lines, to standard output unless told otherwise. Secrets and URL credentials are masked. */
export function createLog(level: Config['log']['level'], destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '***' },
    hooks: { streamWrite: maskUrl },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** What the service needs of a log; pino's fits. */
export interface Log {
  debug(detail: object, message: string): void;
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
  child(bindings: Readonly<Record<string, unknown>>): Log;
}

export interface LimitedWarn {
  /** Logs unless a warning of the same key was logged within the interval. */
  (key: string, detail: object, message: string): void;
}

const MAX_KEYS = 1000;

/**
 * A warning that one fault may cause a thousand times a second: at most one a key and interval, with the number
 * of those held back since the last one as `suppressed`.
 * @param now clock, milliseconds
 */
export function limitedWarn(
  log: Pick<Log, 'warn'>,
  everyMs: number,
  now: () => number = Date.now,
): LimitedWarn {
  const seen = new Map<string, { at: number; suppressed: number }>();
  return (key, detail, message) => {
    const at = now();
    const last = seen.get(key);
    if (last !== undefined && at - last.at < everyMs && at >= last.at) {
      last.suppressed += 1;
      return;
    }
    const suppressed = last?.suppressed ?? 0;
    log.warn(suppressed > 0 ? { ...detail, suppressed } : detail, message);
    // Keys may come from input: the oldest make room.
    seen.delete(key);
    const [oldest] = seen.keys();
    if (seen.size >= MAX_KEYS && oldest !== undefined) seen.delete(oldest);
    seen.set(key, { at, suppressed: 0 });
  };
}
