import { Type } from 'typebox';
import type { ApiOptions, App } from './context.ts';
import { Problem } from './problem.ts';
import { ERRORS, query } from './schemas.ts';
import { streamFilter } from './streamFilter.ts';
import type { StreamHub } from './streamHub.ts';

const TYPES = 'reading|smoothed|window|twin|alarm|anomaly';

const names = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 2000 }), { maxItems: 100, description }));

export function streamRoute(app: App, { config }: ApiOptions, hub: StreamHub): void {
  app.get(
    '/api/stream',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'Live events, as server-sent events',
        description:
          'Events `reading`, `smoothed`, `window`, `twin`, `anomaly` and `alarm`, with a growing id and one JSON record each. Goes on after ' +
          '`Last-Event-ID`. An event `gap` says that events are missing: reason `restart` or `expired` after a ' +
          'reconnect, `conflated` where the client is too slow and gets only the latest of each sensor. ' +
          'Filters may be repeated or hold comma separated names.',
        tags: ['live'],
        querystring: query({
          asset: names('Assets to send'),
          sensor: names('Sensors to send; twins and anomalies then are not sent'),
          type: Type.Optional(
            Type.Array(
              Type.String({
                pattern: `^(${TYPES})(,(${TYPES}))*$`,
                maxLength: 100,
                description: 'reading, smoothed, window, twin, anomaly or alarm',
              }),
              { maxItems: 10 },
            ),
          ),
        }),
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 64 })) }),
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } },
          ...ERRORS,
        },
      },
    },
    (request, reply) => {
      if (hub.size >= config.maxStreams) {
        throw new Problem(503, `All ${config.maxStreams} streams are in use.`, {}, { 'retry-after': '10' });
      }
      const { asset, sensor, type } = request.query;
      const filter = streamFilter(asset, sensor, type);
      reply.headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      });
      reply.hijack();
      const response = reply.raw;
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) response.setHeader(name, value);
      }
      const client = hub.add(
        { write: (chunk) => response.write(chunk), end: () => void response.end() },
        filter,
        request.headers['last-event-id'],
      );
      response.on('drain', () => client.drained());
      response.on('close', () => client.remove());
      // A broken connection is reported by `close` as well; unhandled it would end the process.
      response.on('error', () => client.remove());
    },
  );
}
