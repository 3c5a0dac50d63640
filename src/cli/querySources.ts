import { aggregateJson, rowJson } from '../api/records.ts';
import type { ApiConfig } from '../../config/types.ts';
import { openStoreReadOnly, StoreError } from '../store/duckdb.ts';
import type { RangeQuery, StoreReader } from '../store/store.ts';
import { CliError } from './exit.ts';
import type { QueryRecord } from './queryOutput.ts';

const TIMEOUT_MS = 30_000;

export interface QueryAnswer {
  readonly records: readonly QueryRecord[];
  /** What a service that asks InfluxDB for older rows says of its not answering; null where nothing is missing. */
  readonly incomplete: string | null;
}

/** Where a query finds its rows: a store's file, or a running service. */
export interface QuerySource {
  latest(asset: string, sensor: string): Promise<QueryRecord | null>;
  /** Readings, or windows where `windowMs` is given. */
  history(query: RangeQuery & { readonly windowMs?: number }): Promise<QueryAnswer>;
  close(): Promise<void>;
}

/** The store's file, or the API of the service that has it open. */
export async function openQuerySource(path: string, api: ApiConfig): Promise<QuerySource> {
  try {
    return storeSource(await openStoreReadOnly(path));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.reason === 'locked') return apiSource(urlOf(api), `${error.message}; its API `);
    throw new CliError(error.message, 1, { cause: error });
  }
}

function storeSource(store: StoreReader): QuerySource {
  return {
    latest: async (asset, sensor) => {
      const row = await store.latest(asset, sensor);
      return row === null ? null : { asset, sensor, ...rowJson(row) };
    },
    history: async ({ windowMs, ...query }) => ({
      records:
        windowMs === undefined
          ? (await store.range(query)).map(rowJson)
          : (await store.aggregate({ ...query, windowMs })).map(aggregateJson),
      incomplete: null,
    }),
    close: () => store.close(),
  };
}

/** @param context begins the message of a failed request */
export function apiSource(base: string, context = ''): QuerySource {
  const sensorUrl = (asset: string, sensor: string, rest: string): string =>
    `${base.replace(/\/+$/, '')}/api/assets/${encodeURIComponent(asset)}/sensors/${encodeURIComponent(sensor)}/${rest}`;
  return {
    latest: (asset, sensor) => get(sensorUrl(asset, sensor, 'latest'), context),
    history: async ({ asset, sensor, start, end, limit, windowMs }) => {
      const parameters = new URLSearchParams({
        start: String(start),
        end: String(end),
        limit: String(limit),
      });
      if (windowMs !== undefined) parameters.set('windowMs', String(windowMs));
      const url = sensorUrl(asset, sensor, `history?${parameters.toString()}`);
      const answer = await get(url, context);
      const rows: unknown = windowMs === undefined ? answer?.['readings'] : answer?.['windows'];
      const incomplete = answer?.['incomplete'];
      return {
        records: Array.isArray(rows) ? rows.filter(isRecord) : [],
        incomplete: typeof incomplete === 'string' ? incomplete : null,
      };
    },
    close: () => Promise.resolve(),
  };
}

const isRecord = (value: unknown): value is QueryRecord => typeof value === 'object' && value !== null;

/** null where the service knows no such sensor. */
async function get(url: string, context: string): Promise<QueryRecord | null> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    body = await response.json();
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError(`${context}${url}: no answer of an rxtwin service: ${cause}`, 1, { cause: error });
  }
  const answer = isRecord(body) ? body : {};
  if (response.ok) return answer;
  const detail = typeof answer['detail'] === 'string' ? answer['detail'] : response.statusText;
  // Only the service itself describes its problems; another server's 404 is a wrong address.
  if (response.status === 404 && answer['status'] === 404) return null;
  throw new CliError(`${context}${url}: ${response.status} ${detail}`);
}

/** What a service that listens on every address is reached at from its own machine. */
function urlOf({ host, port }: ApiConfig): string {
  const reachable = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
