import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import type { InfluxConfig } from '../../../config/types.ts';
import { maskUrl } from '../../telemetry/log.ts';

/** What came of one write. Reasons are fit to be shown: no token, no credentials, bounded in length. */
export type WriteAnswer =
  | { readonly kind: 'done' }
  /** The server refuses points. `all`: it says that it is every one of the request. */
  | { readonly kind: 'refused'; readonly reason: string; readonly refusal: Refusal }
  | { readonly kind: 'tooLarge'; readonly reason: string }
  /** Nothing wrong with the points: token, organisation, bucket or address. */
  | { readonly kind: 'misconfigured'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number };

export interface Refusal {
  /** Number of points that the server says it dropped; null where it does not say. */
  readonly dropped: number | null;
  /** The whole message, which may quote the lines that could not be parsed. */
  readonly message: string;
  /** Older than the bucket keeps: no configuration of ours could change that. */
  readonly beyondRetention: boolean;
}

export interface Writer {
  /** Never rejects. An aborted write is `failed`; whether the server took it is not known then. */
  write(lines: readonly string[], abort: AbortSignal): Promise<WriteAnswer>;
  close(): void;
}

const MAX_REASON = 500;
/** A longer Retry-After is taken for nonsense. */
const MAX_RETRY_AFTER_MS = 3_600_000;
const GZIP_FROM_BYTES = 1000;

/**
 * Sends lines through the client's transport. The client's WriteApi stays out: its buffers lose data after three minutes,
 * it takes the seconds of Retry-After for milliseconds, and its requests cannot be aborted.
 */
export function createWriter(config: InfluxConfig, now: () => number): Writer {
  const { token, org, bucket, timeoutMs } = config;
  const { origin, protocol, pathname } = new URL(config.url);
  const agent = new (protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const url = `${origin}${pathname}`;
  // The time-out here is the signal's. The client's own counts silence only, and leaves the connection open.
  const transportOptions = { agent };
  const { transport } = new InfluxDB({ url, token, timeout: timeoutMs * 2, transportOptions });
  const path = `/api/v2/write?${new URLSearchParams({ org, bucket, precision: 'us' }).toString()}`;

  const shown = (text: string): string => {
    const masked = token === '' ? text : text.replaceAll(token, '***');
    return maskUrl(masked).slice(0, MAX_REASON);
  };
  const answerTo = (error: unknown): WriteAnswer => {
    if (!(error instanceof HttpError)) {
      return { kind: 'failed', reason: shown(reasonOf(error)), retryAfterMs: 0 };
    }
    const { statusCode, message } = error;
    const text = typeof message === 'string' ? message : `status ${statusCode}`;
    const reason = shown(`${statusCode}: ${text}`);
    // InfluxDB 2.0 answers 500 where later ones answer 422; what counts is that it speaks of the points.
    const partial = text.includes('partial write');
    if (statusCode === 400 || statusCode === 422 || (statusCode === 500 && partial)) {
      const dropped = /\bdropped=(\d+)/.exec(text)?.[1];
      const refusal = {
        dropped: dropped === undefined ? null : Number(dropped),
        message: text,
        beyondRetention: text.includes('beyond retention policy'),
      };
      return { kind: 'refused', reason, refusal };
    }
    if (statusCode === 413) return { kind: 'tooLarge', reason };
    if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
      const retryAfterMs = parseRetryAfter(error.headers?.['retry-after'], now());
      return { kind: 'failed', reason, retryAfterMs };
    }
    return { kind: 'misconfigured', reason };
  };

  return {
    async write(lines, abort) {
      let contentType = '';
      // A controller of its own: signals that live longer would hold on to the bodies of past requests.
      const ending = new AbortController();
      const end = (): void => ending.abort();
      const timer = setTimeout(end, timeoutMs);
      abort.addEventListener('abort', end, { once: true });
      if (abort.aborted) end();
      const { signal } = ending;
      try {
        await transport.request(
          path,
          lines.join('\n'),
          {
            method: 'POST',
            headers: { 'content-type': 'text/plain; charset=utf-8' },
            gzipThreshold: GZIP_FROM_BYTES,
            signal,
          },
          (headers) => {
            contentType = String(headers['content-type'] ?? '');
          },
        );
      } catch (error) {
        if (!(error instanceof HttpError) && signal.aborted && !abort.aborted) {
          return { kind: 'failed', reason: `no answer within ${timeoutMs} ms`, retryAfterMs: 0 };
        }
        return answerTo(error);
      } finally {
        clearTimeout(timer);
        abort.removeEventListener('abort', end);
      }
      // A log-in page or another service's start page would swallow everything with a friendly 200.
      return contentType.startsWith('text/html')
        ? {
            kind: 'misconfigured',
            reason: 'answered with a web page: this is not the address of an InfluxDB',
          }
        : { kind: 'done' };
    },
    close: () => agent.destroy(),
  };
}

/** Connection errors of hosts with several addresses hide their messages one level down. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Seconds or a date; 0 where there is nothing to go by. */
function parseRetryAfter(header: string | readonly string[] | undefined, now: number): number {
  const text = typeof header === 'string' ? header.trim() : '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : 0;
}
