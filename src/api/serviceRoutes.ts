import { Type } from 'typebox';
import type { ApiOptions, App } from './context.ts';
import { Problem } from './problem.ts';
import { DeadLetters, ERRORS, Live, NO_QUERY, Quarantine, query, Ready, Sources } from './schemas.ts';
import { isoTime } from './times.ts';

/** The service itself: what it refused, its sources, its health and its metrics. */
export function serviceRoutes(app: App, { live, store, metrics, config }: ApiOptions): void {
  app.get(
    '/api/dead-letters',
    {
      schema: {
        summary: 'The newest inputs that could not become readings, with the reasons',
        tags: ['service'],
        querystring: query({
          limit: Type.Integer({
            minimum: 1,
            maximum: config.maxRows,
            default: Math.min(100, config.maxRows),
          }),
        }),
        response: { 200: DeadLetters, ...ERRORS },
      },
    },
    async ({ query: { limit } }) => {
      const letters = await store.deadLetters(limit);
      return {
        deadLetters: letters.map((letter) => ({
          source: letter.source,
          position: letter.position,
          arrivedAt: isoTime(letter.arrivedAt),
          reason: letter.reason,
          detail: letter.detail,
          origin: letter.origin,
          payload: letter.payload,
        })),
      };
    },
  );

  app.get(
    '/api/quarantine',
    {
      schema: {
        summary: 'The newest points that InfluxDB refused for good, in line protocol, with what it said',
        tags: ['service'],
        querystring: query({
          limit: Type.Integer({
            minimum: 1,
            maximum: config.maxRows,
            default: Math.min(100, config.maxRows),
          }),
        }),
        response: { 200: Quarantine, ...ERRORS },
      },
    },
    async ({ query: { limit } }) => {
      const points = await store.quarantined(limit);
      return { points: points.map(({ at, line, reason }) => ({ at: isoTime(at), line, reason })) };
    },
  );

  app.get(
    '/api/sources',
    {
      schema: {
        summary: 'The sources and whether they are connected',
        tags: ['service'],
        querystring: NO_QUERY,
        response: { 200: Sources, ...ERRORS },
      },
    },
    () => ({
      sources: live.sources().map(({ id, type, status }) => ({
        source: id,
        type,
        connected: status.connected,
        detail: status.detail,
        reconnects: status.reconnects,
        problems: { ...status.problems },
      })),
    }),
  );

  app.get(
    '/health/live',
    {
      schema: {
        summary: 'The process answers',
        tags: ['service'],
        querystring: NO_QUERY,
        response: { 200: Live, ...ERRORS },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        summary: 'Whether the service does its work; 503 where a part does not',
        tags: ['service'],
        querystring: NO_QUERY,
        response: { 200: Ready, ...ERRORS },
      },
    },
    () => {
      const { ready, parts } = live.health();
      const shown = Object.fromEntries(
        Object.entries(parts).map(([name, { ok, detail }]) => [name, { ok, detail }]),
      );
      if (ready) return { ready, parts: shown };
      const failing = Object.keys(parts).filter((name) => parts[name]?.ok === false);
      throw new Problem(503, `Not ready: ${failing.join(', ')}`, { ready, parts: shown });
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['service'],
        querystring: NO_QUERY,
        response: {
          200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } },
          ...ERRORS,
        },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.text();
    },
  );
}
