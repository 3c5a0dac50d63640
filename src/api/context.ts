import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ApiConfig } from '../../config/types.ts';
import type { InfluxReader } from '../store/influx/reader.ts';
import type { Store } from '../store/store.ts';
import type { LiveView } from './live.ts';

/** The queries that the API makes. */
export type ApiStore = Pick<
  Store,
  'latest' | 'range' | 'aggregate' | 'smoothed' | 'anomalies' | 'deadLetters' | 'quarantined' | 'oldest'
>;

export interface ApiLog {
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
  error(detail: object, message: string): void;
}

/** What answers `/metrics`. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface ApiOptions {
  readonly live: LiveView;
  readonly store: ApiStore;
  /** Answers for what is older than the store's rows. Default: nothing does. */
  readonly history?: InfluxReader | null;
  readonly metrics: MetricsText;
  readonly config: ApiConfig;
  readonly log: ApiLog;
  /** For tests: shorter waits than the defaults, which are given with each use. */
  readonly timing?: {
    readonly headersTimeoutMs?: number;
    readonly heartbeatMs?: number;
    readonly closeTimeoutMs?: number;
  };
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
