import type { TwinModel } from '../../operators/steps/twin.ts';

export interface Tank {
  level: number;
  inflow: number;
}

/** A tank that fills by its inflow: level in m, inflow in m/s. */
export const tank: TwinModel<Tank> = {
  type: 'tank',
  quantities: { level: 'm', inflow: 'm/s' },
  outputs: { level: 'm' },
  initial: () => ({ level: 0, inflow: 0 }),
  parameters: (s) => ({ inflow: s.inflow }),
  advance(s, dtS) {
    s.level += s.inflow * dtS;
  },
  correct(s, quantity, value) {
    if (quantity === 'inflow') {
      s.inflow = value;
      return null;
    }
    const residual = value - s.level;
    s.level = value;
    return residual;
  },
  read: (s) => ({ value: s.level, stdDev: null }),
};
