import { STATUS_CODES } from 'node:http';

/** RFC 9457 problem details, as sent with `application/problem+json`. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
}

export interface ParameterError {
  readonly parameter: string;
  readonly value: string;
  readonly expected: string;
}

/** Thrown by a handler to answer with a problem. `detail` and `extra` are shown to the client. */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    extra: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.extra = extra;
    this.headers = headers;
  }
}

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

/** A 400 that names the parameters, their values and what was expected. */
export function badParameters(errors: readonly ParameterError[]): Problem {
  const shown = errors.map((error) => ({ ...error, value: shorten(error.value) }));
  const sentences = shown.map(
    ({ parameter, value, expected }) =>
      `${shorten(parameter)}: ${JSON.stringify(value)} is not valid, expected ${expected}`,
  );
  return new Problem(400, sentences.join('; '), { errors: shown });
}

export const badParameter = (parameter: string, value: string, expected: string): Problem =>
  badParameters([{ parameter, value, expected }]);

export const notFound = (detail: string): Problem => new Problem(404, detail);

/** The body of a problem. `about:blank` says, by RFC 9457, that the title is the status code's phrase. */
export function problemBody(
  status: number,
  detail: string,
  instance: string,
  extra: Readonly<Record<string, unknown>> = {},
): ProblemDetails & Readonly<Record<string, unknown>> {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail, instance: instance.slice(0, 500), ...extra };
}

/** What ajv says of one violation; `data` and `parentSchema` come with its `verbose` option. */
export interface Violation {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly data?: unknown;
  readonly parentSchema?: unknown;
}

/** A schema violation as parameter, value and expectation. */
export function parameterError(violation: Violation): ParameterError {
  const [, ...path] = violation.instancePath.split('/');
  const { additionalProperty, missingProperty } = violation.params;
  if (violation.keyword === 'additionalProperties' && typeof additionalProperty === 'string') {
    return {
      parameter: additionalProperty,
      value: valueText(member(violation.data, additionalProperty)),
      expected: `no such parameter; known: ${knownProperties(violation.parentSchema)}`,
    };
  }
  if (violation.keyword === 'required' && typeof missingProperty === 'string') {
    return { parameter: missingProperty, value: '', expected: 'a value' };
  }
  return {
    parameter: path[0] ?? 'request',
    value: valueText(violation.data),
    expected: expectation(violation),
  };
}

function expectation({ keyword, params, message, parentSchema }: Violation): string {
  const description = member(parentSchema, 'description');
  if (keyword === 'pattern' && typeof description === 'string') return description;
  if (keyword === 'enum' && Array.isArray(params['allowedValues'])) {
    return `one of ${params['allowedValues'].join(', ')}`;
  }
  return (message ?? 'another value').replace(/^must (be |have )?/, '').replace(/^NOT have /, 'not ');
}

function knownProperties(schema: unknown): string {
  const properties = member(schema, 'properties');
  const names = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return names.length > 0 ? names.join(', ') : 'none';
}

const member = (object: unknown, key: string): unknown =>
  typeof object === 'object' && object !== null && Object.hasOwn(object, key)
    ? Object.getOwnPropertyDescriptor(object, key)?.value
    : undefined;

function valueText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return value === undefined ? '' : JSON.stringify(value);
}
