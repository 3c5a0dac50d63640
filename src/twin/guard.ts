import type { TwinModel } from '../../operators/steps/twin.ts';

/** Told what was wrong each time a model had to start anew. */
export type OnModelFault = (problem: string) => void;

/**
 * A model of the user's own, kept from stopping the service: where it throws, or something that it says is no longer a
 * finite number, its state starts anew. That depends on nothing but the state and the input, so a re-run does the same.
 */
export function guarded(model: TwinModel<unknown>, onFault: OnModelFault): TwinModel<unknown> {
  const startAnew = (state: unknown, problem: string): void => {
    if (typeof state !== 'object' || state === null) return;
    for (const key of Object.keys(state)) Reflect.deleteProperty(state, key);
    Object.assign(state, model.initial());
    onFault(`${problem}; it starts anew`);
  };
  const attempt = <R>(state: unknown, what: string, work: () => R): R | null => {
    try {
      const result = work();
      const problem = problemOf(model, state);
      if (problem === null) return result;
      startAnew(state, `${what}: ${problem}`);
    } catch (error) {
      startAnew(state, `${what} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    return null;
  };
  const { takes, shape } = model;
  return {
    type: model.type,
    ...(takes !== undefined && { takes }),
    ...(shape !== undefined && { shape }),
    ...(model.parameterStdDev && {
      parameterStdDev: (state: unknown) => model.parameterStdDev?.(state) ?? {},
    }),
    ...(model.insights && { insights: (state: unknown) => model.insights?.(state) ?? {} }),
    ...(model.parted && { parted: (state: unknown) => model.parted?.(state) ?? null }),
    quantities: model.quantities,
    outputs: model.outputs,
    initial: () => model.initial(),
    parameters: (state) => model.parameters(state),
    advance: (state, dtS) => void attempt(state, `advance by ${dtS} s`, () => model.advance(state, dtS)),
    correct: (state, quantity, value, variance) => {
      const residual = attempt(state, `correct ${quantity} by ${value}`, () =>
        model.correct(state, quantity, value, variance),
      );
      return Number.isFinite(residual) ? residual : null;
    },
    read: (state, output) => model.read(state, output),
  };
}

/** The first thing that the model says of its state and that is not a finite number, if any. */
export function problemOf(model: TwinModel<unknown>, state: unknown): string | null {
  for (const output of Object.keys(model.outputs)) {
    const { value } = model.read(state, output);
    if (!Number.isFinite(value)) return `output ${output} is ${String(value)}`;
  }
  for (const [name, value] of Object.entries(model.parameters(state))) {
    if (!Number.isFinite(value)) return `parameter ${name} is ${String(value)}`;
  }
  return null;
}

/** Whether JSON keeps the value as it is: plain objects, lists, texts, finite numbers, booleans and null. */
export function survivesJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.every(survivesJson);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(survivesJson);
}
