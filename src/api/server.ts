import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify from 'fastify';
import { randomBytes } from 'node:crypto';
import { anomalyRoute } from './anomalyRoute.ts';
import { assetRoutes } from './assetRoutes.ts';
import type { ApiOptions, App } from './context.ts';
import { handleClientError, handleError, installErrors } from './errors.ts';
import { historyRoute } from './historyRoute.ts';
import { packageVersion, pageRoutes } from './page.ts';
import { predictionRoutes } from './predictionRoutes.ts';
import { ProblemSchema } from './schemas.ts';
import { serviceRoutes } from './serviceRoutes.ts';
import { smoothedRoute } from './smoothedRoute.ts';
import { StreamHub } from './streamHub.ts';
import { streamRoute } from './streamRoute.ts';

export type { ApiLog, ApiOptions, ApiStore, MetricsText } from './context.ts';

export interface Api {
  /** For example `http://127.0.0.1:8080`. */
  readonly address: string;
  /** Ends the streams, lets requests under way finish for a moment, and stops listening. */
  close(): Promise<void>;
}

const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Listens on the configured address. Rejects where that is not possible, e.g. the port is in use. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const { app, hub } = await buildApp(options);
  const { host, port } = options.config;
  const address = await app.listen({ host, port }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  return {
    address,
    close: async () => {
      hub.close();
      // Whoever holds a connection open must not hold up the shutdown.
      const force = setTimeout(
        () => app.server.closeAllConnections(),
        options.timing?.closeTimeoutMs ?? 2000,
      );
      await app.close();
      clearTimeout(force);
    },
  };
}

/** The application with all its routes, not yet listening. */
export async function buildApp(options: ApiOptions): Promise<{ readonly app: App; readonly hub: StreamHub }> {
  const { log, timing, live, config } = options;
  const headersTimeout = timing?.headersTimeoutMs ?? 10_000;
  const app: App = fastify({
    // A query string is text; beyond reading numbers from it and repeated parameters as lists, nothing is bent.
    ajv: {
      customOptions: {
        coerceTypes: 'array',
        removeAdditional: false,
        useDefaults: true,
        verbose: true,
        // With it, ajv lets a text `Infinity` past `maximum`.
        strictNumbers: false,
      },
    },
    bodyLimit: 1024,
    requestTimeout: 2 * headersTimeout,
    handlerTimeout: 60_000,
    keepAliveTimeout: 10_000,
    // Without any traffic for so long; a live stream has its heartbeats.
    connectionTimeout: 60_000,
    forceCloseConnections: 'idle',
    http: { headersTimeout, connectionsCheckingInterval: headersTimeout / 4, maxHeaderSize: 16_384 },
    routerOptions: { maxParamLength: 512 },
    clientErrorHandler: handleClientError,
    frameworkErrors: (error, request, reply) => {
      void reply.headers(HEADERS);
      handleError(log)(error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.maxConnections = config.maxStreams + 1000;
  // Generated serializers would drop or bend what a schema does not foresee.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
  installErrors(app, log);
  app.addSchema(ProblemSchema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'rxtwin',
        version: packageVersion(),
        description: 'Digital twins of process reactors, kept in step with their sensors.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) =>
        typeof json.$id === 'string' ? json.$id : `schema${i}`,
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_CSP,
    // Without the bar that would load another document.
    uiConfig: { layout: 'BaseLayout' },
    theme: { title: 'rxtwin API' },
  });

  const hub = new StreamHub({
    boot: randomBytes(6).toString('hex'),
    ...(timing?.heartbeatMs === undefined ? {} : { heartbeatMs: timing.heartbeatMs }),
  });
  const subscription = live.events.subscribe({
    next: (event) => hub.push(event),
    error: (err: unknown) => log.error({ err }, 'live events have ended'),
  });
  app.addHook('onClose', (_app, done) => {
    subscription.unsubscribe();
    hub.close();
    done();
  });

  assetRoutes(app, options);
  predictionRoutes(app, options);
  anomalyRoute(app, options);
  historyRoute(app, options);
  smoothedRoute(app, options);
  serviceRoutes(app, options);
  streamRoute(app, options, hub);
  pageRoutes(app);
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.ready();
  return { app, hub };
}
