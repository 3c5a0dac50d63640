import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { ApiLog, App } from './context.ts';
import { badParameters, parameterError, Problem, problemBody } from './problem.ts';

const CONTENT_TYPE = 'application/problem+json';

const fieldOf = (error: unknown, name: 'code' | 'statusCode'): unknown =>
  error instanceof Error && name in error ? Object.getOwnPropertyDescriptor(error, name)?.value : undefined;

/** What the client is told of an error. Only errors that are the client's say more than their status. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && 'validation' in error && Array.isArray(error.validation)) {
    return badParameters(error.validation.map(parameterError));
  }
  const status = fieldOf(error, 'statusCode');
  const code = fieldOf(error, 'code');
  if (code === 'FST_ERR_BAD_URL') return new Problem(400, 'The path is not a valid URL.');
  if (typeof status === 'number' && status >= 400 && status < 500 && error instanceof Error) {
    return new Problem(status, error.message);
  }
  if (status === 503) return new Problem(503, 'The service took too long or is shutting down.');
  return new Problem(500, 'The service has failed to answer; its log says why.');
}

function send(reply: FastifyReply, request: FastifyRequest, problem: Problem): void {
  const instance = request.url.split('?', 1)[0] ?? '';
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .type(CONTENT_TYPE)
    // As bytes: to a text, a charset would be added, which this media type does not have.
    .send(Buffer.from(JSON.stringify(problemBody(problem.status, problem.detail, instance, problem.extra))));
}

export function handleError(log: ApiLog) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(error);
    if (problem.status === 500) {
      log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'request failed');
    }
    send(reply, request, problem);
  };
}

/** Answers what no route takes: 405 where only the method is wrong, else 404. */
export function installErrors(app: App, log: ApiLog): void {
  const known: { readonly pattern: RegExp; readonly method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`);
    for (const each of [method].flat()) known.push({ pattern, method: each });
  });
  app.setErrorHandler<FastifyError>(handleError(log));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const here = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (here.length > 0) {
      const possible = here.includes('GET') ? 'GET' : here.join(', ');
      const detail = `${request.method} is not possible here; ${possible} is.`;
      send(reply, request, new Problem(405, detail, {}, { allow: [...new Set(here)].sort().join(', ') }));
    } else {
      send(reply, request, new Problem(404, 'There is nothing at this path.'));
    }
  });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The request line and headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** Answers what is no HTTP, before there is a request. */
export function handleClientError(error: Error, socket: Socket): void {
  const code = fieldOf(error, 'code');
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = CLIENT_ERRORS[String(code)] ?? [400, 'The request is not valid HTTP.'];
  const body = problemBody(status, detail, '');
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${body.title}\r\nContent-Type: ${CONTENT_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
      `Connection: close\r\n\r\n${text}`,
    () => socket.destroy(),
  );
}
