import type { EstimatedTwin } from './estimatedTwin.ts';
import { observability, refusal } from './observability.ts';
import { integrateBy } from './estimatedTwin.ts';
import { innerStdDev, rolesOf } from './roles.ts';

/**
 * Why the sensors that there are cannot support what a twin is to estimate; null where they can.
 *
 * @param sensors quantity -> variance of its sensor's noise, in the sensor's unit.
 */
export function unsupported(twin: EstimatedTwin, sensors: Readonly<Record<string, number>>): string | null {
  const { process, filter, estimation } = twin;
  const roles = rolesOf(process, filter.layout);
  const variances = new Map<string, number>();
  for (const [quantity, variance] of Object.entries(sensors)) {
    const role = roles.get(quantity);
    if (role?.kind !== 'compared') continue;
    const stdDev = innerStdDev(role, 0, Math.sqrt(variance));
    variances.set(quantity, Number.isFinite(stdDev) && stdDev > 0 ? stdDev ** 2 : variance);
  }
  if (variances.size === 0) {
    const wanted = [...roles].flatMap(([name, { kind }]) => (kind === 'compared' ? name : [])).join(' or ');
    return `no sensor measures what follows from the model's state; expected one of ${wanted}`;
  }
  const { initialStdDev } = estimation.noise;
  const found = observability(process, filter.layout, initialStdDev, variances, integrateBy(process));
  return refusal(process, [...variances.keys()], found);
}
