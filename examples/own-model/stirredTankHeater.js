/**
 * A model of one's own: a stirred tank through which water flows while an electric heater warms it.
 *
 *     m c dT/dt = w c (Ti - T) + e P - U A (T - Ta)
 *
 * T temperature in the tank, Ti at the inlet, Ta of the air (degC); w mass flow, P electric power, m mass in the tank,
 * c heat capacity, U A heat loss to the air. e is the efficiency of the heater: the part of P that reaches the water. No
 * sensor measures it. It falls when the heater scales up, and the twin finds it from how the temperature moves.
 *
 * Over a step with constant inputs the equation has an exact solution: T goes to its final value with the time constant
 * m c / (w c + U A). So no step is too long to be stable.
 */

/** Every parameter of the model, with its default. A configuration sets them beside `type`. */
const DEFAULTS = {
  massKg: 200,
  heatCapacityJPerKgK: 4180,
  densityKgPerL: 1,
  heatLossWPerK: 15,
  airTemperatureDegC: 20,
  initialEfficiency: 0.95,
  /** Time constant with which the efficiency follows; longer = steadier. */
  efficiencyTimeConstantS: 300,
};

/** @param {Partial<typeof DEFAULTS>} given what the configuration says beside `type` and `sensors` */
export default function stirredTankHeater(given) {
  for (const [key, value] of Object.entries(given)) {
    if (!(key in DEFAULTS)) {
      throw new RangeError(`${key}: unknown parameter, expected one of ${Object.keys(DEFAULTS).join(', ')}`);
    }
    if (typeof value !== 'number' || value < 0) {
      throw new RangeError(`${key}: ${JSON.stringify(value)} is not valid, expected a number >= 0`);
    }
  }
  const p = { ...DEFAULTS, ...given };
  const heatCapacityJPerK = p.massKg * p.heatCapacityJPerKgK;

  return {
    type: 'stirredTankHeater',
    // What comes from sensors, in the unit that the equations want.
    quantities: { temperature: 'degC', inlet_temperature: 'degC', flow_rate: 'L/min', power: 'kW' },
    // What is shown of the state.
    outputs: { temperature: 'degC', efficiency: '1', heat: 'kW' },

    // Plain data: it is written out and read back as JSON.
    initial: () => ({
      started: false,
      temperatureDegC: p.airTemperatureDegC,
      variance: 0,
      inletDegC: p.airTemperatureDegC,
      flowLPerMin: 0,
      powerKW: 0,
      efficiency: p.initialEfficiency,
    }),

    parameters: () => ({ heatLossWPerK: p.heatLossWPerK, massKg: p.massKg }),

    advance(s, dtS) {
      const flowWPerK = (s.flowLPerMin / 60) * p.densityKgPerL * p.heatCapacityJPerKgK;
      const lossWPerK = flowWPerK + p.heatLossWPerK;
      const gainW =
        flowWPerK * s.inletDegC + p.heatLossWPerK * p.airTemperatureDegC + s.efficiency * s.powerKW * 1000;
      if (lossWPerK > 0) {
        s.temperatureDegC +=
          (gainW / lossWPerK - s.temperatureDegC) * -Math.expm1((-dtS * lossWPerK) / heatCapacityJPerK);
      } else {
        s.temperatureDegC += (gainW / heatCapacityJPerK) * dtS;
      }
    },

    correct(s, quantity, value, variance) {
      switch (quantity) {
        case 'inlet_temperature':
          s.inletDegC = value;
          return null;
        case 'flow_rate':
          s.flowLPerMin = value;
          return null;
        case 'power':
          s.powerKW = value;
          return null;
      }
      const residual = value - s.temperatureDegC;
      s.temperatureDegC = value;
      s.variance = variance;
      if (!s.started) {
        s.started = true;
        return null;
      }
      // A residual r is heat m c r that the model has missed. Credited to the heater with the time constant above:
      if (s.powerKW > 0) {
        const missedW = (heatCapacityJPerK * residual) / p.efficiencyTimeConstantS;
        s.efficiency = Math.min(1, Math.max(0, s.efficiency + missedW / (s.powerKW * 1000)));
      }
      return residual;
    },

    read(s, output) {
      switch (output) {
        case 'temperature':
          return { value: s.temperatureDegC, stdDev: Math.sqrt(s.variance) };
        case 'efficiency':
          return { value: s.efficiency, stdDev: null };
        default:
          return { value: s.efficiency * s.powerKW, stdDev: null };
      }
    },
  };
}
