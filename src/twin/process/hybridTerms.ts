import type { ProcessModel } from './model.ts';

type Values = ArrayLike<number>;

/** A feature of the correction: something that the model's states, inputs and parameters say. */
export interface Term {
  readonly name: string;
  read(x: Values, u: Values, p: Values): number;
  /** How much it typically changes: > 0, in its own unit. */
  readonly scale: number;
  /** The constant is not centred. */
  readonly constant: boolean;
}

interface Slot {
  readonly list: 'x' | 'u' | 'p';
  readonly index: number;
}

/** Of an input whose unit no state has: its typical change, as a share of its initial value. */
const INPUT_SHARE = 0.1;
const NAME = '[A-Za-z_]\\w*';
const FACTOR = new RegExp(`^(?:(${NAME})|\\(?\\s*(${NAME})\\s*-\\s*(${NAME})\\s*\\)?)$`);
const ARRHENIUS = new RegExp(`^exp\\(\\s*-\\s*(${NAME})\\s*/\\s*(${NAME})\\s*\\)$`);

/**
 * Reads a feature: `1`, or factors joined by `*`, each the name of a state, an input or a parameter, a difference
 * `a - b` of two, or an Arrhenius term `exp(-a / b)`.
 *
 * @throws RangeError that names the feature and says what was expected.
 */
export function termOf(model: ProcessModel, text: string): Term {
  const refuse = (expected: string): never => {
    throw new RangeError(`hybrid: the feature "${text}" is not valid, expected ${expected}`);
  };
  if (text.trim() === '1') return { name: '1', read: () => 1, scale: 1, constant: true };
  const lists = { x: model.states, u: model.inputs, p: model.parameters };
  const slot = (name: string | undefined): Slot => {
    for (const list of ['x', 'u', 'p'] as const) {
      const index = lists[list].findIndex((each) => each.name === name);
      if (index >= 0) return { list, index };
    }
    return refuse(
      `names among ${Object.values(lists)
        .flat()
        .map((each) => each.name)
        .join(', ')}`,
    );
  };
  const value = ({ list, index }: Slot, x: Values, u: Values, p: Values): number =>
    (list === 'x' ? x : list === 'u' ? u : p)[index] ?? NaN;
  const slots: Slot[] = [];
  const factors = text.split('*').map((part): Term['read'] => {
    const arrhenius = ARRHENIUS.exec(part.trim());
    const match = arrhenius ?? FACTOR.exec(part.trim());
    if (match === null)
      return refuse('1, or names, differences (a - b) and exp(-a / b) of names, joined by *');
    const found = match.slice(1).filter(Boolean).map(slot);
    slots.push(...found);
    const [one, other] = found;
    if (one === undefined) return refuse('a name');
    if (other === undefined) return (x, u, p) => value(one, x, u, p);
    if (arrhenius === null) return (x, u, p) => value(one, x, u, p) - value(other, x, u, p);
    return (x, u, p) => {
      const below = value(other, x, u, p);
      return below > 0 ? Math.exp(-value(one, x, u, p) / below) : 0;
    };
  });
  const read: Term['read'] = (x, u, p) => {
    let product = 1;
    for (const factor of factors) product *= factor(x, u, p);
    return product;
  };
  const scale = scaleOf(model, slots, read);
  if (!(scale > 0 && scale < Infinity)) refuse('something that changes with a state or an input');
  return { name: text.trim(), read, scale, constant: false };
}

/** Root sum of squares of what typical changes of states and inputs do to it, from the model's initial values. */
function scaleOf(model: ProcessModel, slots: readonly Slot[], read: Term['read']): number {
  const values = { x: model.states, u: model.inputs, p: model.parameters };
  const start = (list: Slot['list']): number[] => values[list].map(({ initial }) => initial);
  const base = { x: start('x'), u: start('u'), p: start('p') };
  const at = read(base.x, base.u, base.p);
  const unique = new Map(slots.map((slot) => [`${slot.list}${slot.index}`, slot]));
  let sum = 0;
  for (const { list, index } of unique.values()) {
    const variable = values[list][index];
    if (variable === undefined || list === 'p') continue;
    const alike = model.states.find((state) =>
      list === 'x' ? state.name === variable.name : state.unit === variable.unit,
    );
    const change = alike?.scale ?? (INPUT_SHARE * Math.abs(variable.initial) || 1);
    const moved = { x: start('x'), u: start('u'), p: start('p') };
    moved[list][index] = variable.initial + change;
    sum += (read(moved.x, moved.u, moved.p) - at) ** 2;
  }
  return Math.sqrt(sum);
}
