import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/api/context.ts';
import { buildApp } from '../../src/api/server.ts';
import { fakeApi } from '../fakes/live.ts';

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let app: App;
let document: Document;
beforeAll(async () => {
  ({ app } = await buildApp(fakeApi().options));
  document = JSON.parse((await app.inject('/openapi.json')).body) as Document;
});
afterAll(() => app.close());

test('is OpenAPI 3.1 and lists every route', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(document.info.title).toBe('rxtwin');
  expect(Object.keys(document.paths).sort()).toEqual([
    '/api/assets',
    '/api/assets/{asset}/anomaly',
    '/api/assets/{asset}/prediction',
    '/api/assets/{asset}/sensors/{sensor}/history',
    '/api/assets/{asset}/sensors/{sensor}/latest',
    '/api/assets/{asset}/sensors/{sensor}/smoothed',
    '/api/assets/{asset}/simulate',
    '/api/assets/{asset}/twin',
    '/api/dead-letters',
    '/api/quarantine',
    '/api/sources',
    '/api/stream',
    '/health/live',
    '/health/ready',
    '/metrics',
  ]);
});

test('every operation has a summary, its path parameters and a problem as error', () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const get = methods['get'] ?? methods['post'];
    expect(get?.summary, path).toMatch(/\w{3}/);
    const inPath = get?.parameters?.filter((parameter) => parameter.in === 'path') ?? [];
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    for (const status of ['4XX', '5XX']) {
      expect(get?.responses[status]?.content?.['application/problem+json'], path).toEqual({
        schema: { $ref: '#/components/schemas/Problem' },
      });
    }
    expect(Object.keys(get?.responses['200']?.content ?? {}), path).not.toEqual([]);
  }
});

test('all references lead somewhere', () => {
  const text = JSON.stringify(document);
  const names = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map((match) => match[1]);
  expect(new Set(names)).toEqual(new Set(['#/components/schemas/Problem']));
  expect(Object.keys(document.components.schemas)).toEqual(['Problem']);
});

test('shows the very bounds that are enforced', () => {
  const parameters = document.paths['/api/assets/{asset}/prediction']?.['get']?.parameters;
  expect(parameters).toContainEqual(
    expect.objectContaining({
      name: 'horizonS',
      in: 'query',
      required: false,
      schema: { type: 'number', exclusiveMinimum: 0, maximum: 86400, default: 60 },
    }),
  );
});

test('can be read at /docs under a policy that lets nothing from elsewhere in', async () => {
  const page = await app.inject('/docs/');
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain('swagger-ui');
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/https?:|script-src[^;]*unsafe/);
  const [script] = /src="([^"]*bundle\.js)"/.exec(page.body)?.slice(1) ?? [];
  expect((await app.inject(new URL(script ?? '', 'http://x/docs/').pathname)).statusCode).toBe(200);
});
