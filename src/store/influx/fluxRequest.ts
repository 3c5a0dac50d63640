import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import type { FluxTableMetaData, ParameterizedQuery } from '@influxdata/influxdb-client';
import type { InfluxConfig } from '../../../config/types.ts';

export type InfluxAccess = Pick<InfluxConfig, 'url' | 'token' | 'org'>;

export interface FluxLimits {
  /** For the whole answer. */
  readonly timeoutMs: number;
  /** Of the answer, unpacked. */
  readonly maxBytes: number;
}

/** InfluxDB gave no usable answer. The message names the server and never holds the token. */
export class InfluxReadError extends Error {
  /** Of HTTP; null where there was none. */
  readonly status: number | null;

  constructor(message: string, status: number | null, cause?: unknown) {
    super(message, { cause });
    this.name = 'InfluxReadError';
    this.status = status;
  }
}

export interface FluxRun extends FluxLimits {
  /** How much of the time-out is over already. */
  readonly waitedMs: number;
  readonly signal: AbortSignal | undefined;
}

type OnRow = (values: readonly string[], table: FluxTableMetaData) => void;

/**
 * Sends one query and hands out the rows of the answer, table by table.
 *
 * @throws InfluxReadError where there is no answer in time, a refusal, an error in the middle of the answer (with
 *   status 200), one that is too long, broken off or no annotated CSV, and where `signal` aborts. The connection is closed then.
 */
export function runFlux(
  access: InfluxAccess,
  query: ParameterizedQuery,
  onRow: OnRow,
  { timeoutMs, maxBytes, waitedMs, signal }: FluxRun,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // The client's own cancelling lets the answer go on arriving. A signal would close the connection, but one that
    // comes when all has arrived and not all is read is an error that nobody catches. A connection of its own can go.
    const agent = access.url.startsWith('https:') ? new HttpsAgent() : new HttpAgent();
    let settled = false;
    const settle = (error?: InfluxReadError): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      agent.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const fail = (problem: string, status: number | null = null, cause?: unknown): void =>
      settle(
        new InfluxReadError(
          `InfluxDB at ${hostOf(access.url)}: ${clean(problem, access.token)}`,
          status,
          cause,
        ),
      );
    const onError = (error: unknown): void => {
      if (error instanceof HttpError) fail(httpProblem(error), error.statusCode, error);
      else fail(problemOf(error), null, error);
    };
    const onAbort = (): void => fail('the query was given up');
    const timer = setTimeout(
      () => fail(`no whole answer within ${timeoutMs} ms`),
      Math.max(1, timeoutMs - waitedMs),
    );
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) {
      onAbort();
      return;
    }

    let bytes = 0;
    try {
      const { url, token, org } = access;
      const { transport } = new InfluxDB({
        ...{ url, token, timeout: timeoutMs },
        transportOptions: { agent },
      });
      const bounded: typeof transport = {
        chunkCombiner: transport.chunkCombiner,
        request: (...args) => transport.request(...args),
        iterate: (...args) => transport.iterate(...args),
        send: (path, body, options, callbacks) =>
          transport.send(path, body, options, {
            responseStarted: (headers, status = 0) => {
              const type = String(headers['content-type']);
              if (status === 200 && !/^(?:text|application)\/csv\b/.test(type))
                fail(`answered with ${type} instead of CSV; is it an InfluxDB 2?`, status);
            },
            next: (chunk) => {
              bytes += chunk.length;
              if (bytes > maxBytes) fail(`the answer is longer than ${maxBytes} bytes`);
              else if (!settled) return callbacks?.next?.(chunk);
            },
            error: (error) => callbacks?.error?.(error),
            complete: () => callbacks?.complete?.(),
          }),
      };
      new InfluxDB({ url, transport: bounded }).getQueryApi({ org, gzip: true }).queryRows(query, {
        next: (values, table) => {
          if (settled) return;
          try {
            const problem = rowProblem(values, table);
            if (problem === null) onRow(values, table);
            else fail(problem);
          } catch (error) {
            onError(error);
          }
        },
        error: onError,
        complete: () => settle(),
      });
    } catch (error) {
      onError(error);
    }
  });
}

/** Without annotations the client leaves the type out, against its own declaration. */
const hasType = ({ dataType }: { readonly dataType?: string }): boolean => dataType !== undefined;

/** An error after the first rows comes as one more table; the client hands it out like any other. */
function rowProblem(values: readonly string[], table: FluxTableMetaData): string | null {
  const [first, second] = table.columns;
  if (first?.label === 'error' && (second === undefined || second.label === 'reference')) {
    const reference = values[1] ?? '';
    return `the query failed: ${values[0] ?? ''}${reference === '' ? '' : ` (${reference})`}`;
  }
  if (values.length !== table.columns.length || !table.columns.every(hasType))
    return 'the answer is no annotated CSV';
  return null;
}

function httpProblem({ statusCode, statusMessage, message }: HttpError): string {
  const head = `${statusCode} ${statusMessage ?? ''}`.trim();
  return message.startsWith(head) ? message : `${head}: ${message}`;
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError' || ('code' in error && error.code === 'ECONNRESET'))
    return 'the answer was broken off';
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}

/** What a server says is shown in one line, without what it may repeat of the request. */
function clean(problem: string, token: string): string {
  const text = token === '' ? problem : problem.replaceAll(token, '…');
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** Without a user name or password that the URL may hold. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an invalid URL';
}
