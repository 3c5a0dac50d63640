/**
 * Where an operator's state lives. Each subscription opens its cell once and then mutates what it got.
 *
 * A stand-alone operator has a cell that makes a fresh state for every subscription, so nothing leaks from one
 * to the next. A service that checkpoints hands in cells of its own, which return the state it keeps (and may
 * have restored). States are plain data that survive `JSON.parse(JSON.stringify(state))` without loss.
 */
export interface StateCell<S> {
  open(): S;
}

/** A cell that makes a fresh state for every subscription. */
export const stateCell = <S>(create: () => S): StateCell<S> => ({ open: create });
