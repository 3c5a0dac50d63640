import type { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import { at } from './squareRoot.ts';
import type { Read } from './unscented.ts';

/** What a measured quantity is to the filter: something to compare with, or an input that it is told. */
export type Role =
  | {
      readonly kind: 'compared';
      /** Place of the quantity among the model's. */
      readonly quantity: number;
      readonly read: Read;
      /** The sensor's value in the unit of `read`. */
      toInner(value: number): number;
    }
  | {
      readonly kind: 'told';
      /** Place of the input among the model's. */
      readonly index: number;
      readonly min: number;
      readonly max: number;
      toInner(value: number): number;
    };

/** The roles of all that a model can be told. @throws Error where the model's own tables do not fit together. */
export function rolesOf(model: ProcessModel, layout: Layout): ReadonlyMap<string, Role> {
  return new Map(
    Object.entries(model.measured).map(([name, measured], quantity): [string, Role] => {
      if (measured.kind === 'output') {
        return [
          name,
          {
            kind: 'compared',
            quantity,
            read: (x, u, p) => measured.read(x, u, p),
            toInner: (value) => value,
          },
        ];
      }
      const toInner = (value: number): number => measured.toInput(value);
      const index = model.inputs.findIndex((input) => input.name === measured.input);
      const input = model.inputs[index];
      if (input === undefined)
        throw new Error(`${name} measures ${measured.input}, which is no input of ${model.type}`);
      if (layout.placeOfInput(index) >= 0) {
        return [name, { kind: 'compared', quantity, read: (_, u) => at(u, index), toInner }];
      }
      return [name, { kind: 'told', index, min: input.min, max: input.max, toInner }];
    }),
  );
}

/** Half the distance between what a value a standard deviation above and below comes to: that of the inner value. */
export function innerStdDev(role: Role, value: number, stdDev: number): number {
  return Math.abs(role.toInner(value + stdDev) - role.toInner(value - stdDev)) / 2;
}
