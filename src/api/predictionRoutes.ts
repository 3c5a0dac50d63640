import { Type } from 'typebox';
import type { TwinCopy } from '../twin/liveTwin.ts';
import { changesOf } from '../twin/process/changes.ts';
import { predict } from '../twin/process/predict.ts';
import { parseLimit, timesToLimits } from '../twin/process/predictLimits.ts';
import type { Limit } from '../twin/process/predictLimits.ts';
import { WhatIf } from '../twin/process/whatIf.ts';
import type { Changes } from '../twin/process/whatIf.ts';
import { noTwin } from './assetRoutes.ts';
import type { ApiOptions, App } from './context.ts';
import type { AssetView } from './live.ts';
import { badParameter, badParameters, notFound } from './problem.ts';
import { AssetParams, ERRORS, NO_QUERY, Prediction, query, SimulationBody } from './schemas.ts';
import {
  checkSteps,
  MAX_BODY_BYTES,
  MAX_HORIZON_S,
  MAX_LIMITS,
  MAX_POINTS,
  readSimulation,
} from './simulation.ts';
import { isoTime } from './times.ts';
import { Workbench } from './workbench.ts';

const LIMITS_DOC =
  `Limits such as temperature>120, in the output's unit, at most ${MAX_LIMITS}: answered by \`limits\`, each with the probability that it is ` +
  'reached within the horizon and, of the courses that reach it, the median of the time and where 90 % of them lie, in seconds ' +
  'from `from`; null where none does.';

/** What the models expect, with the twins as they are and as somebody would have them. */
export function predictionRoutes(app: App, { live }: ApiOptions): void {
  const workbench = new Workbench();
  const knownAsset = (id: string): AssetView => {
    const asset = live.asset(id);
    if (asset === undefined) throw notFound('There is no such asset.');
    return asset;
  };

  async function predictionOf(
    asset: string,
    { timestamp, twin, state }: TwinCopy,
    horizon: { readonly horizonS: number; readonly stepS: number },
    limits: readonly Limit[],
    signal: AbortSignal,
    changes?: Changes,
  ) {
    const whatIf = new WhatIf(twin, state, changes);
    const points = await workbench.run(predict(whatIf, horizon), signal);
    const reached =
      limits.length > 0 && (await workbench.run(timesToLimits(whatIf, limits, horizon.horizonS), signal));
    const trajectory = points.map(({ atS, values, stdDev }) => ({
      timestamp: isoTime(timestamp + atS * 1000),
      ...values,
      stdDev,
    }));
    return {
      ...{ asset, from: isoTime(timestamp), ...horizon, trajectory },
      ...(reached !== false && { limits: reached }),
    };
  }

  app.get(
    '/api/assets/:asset/prediction',
    {
      schema: {
        summary: 'What the model expects over a horizon',
        description:
          `At most ${MAX_POINTS} points: horizonS / stepS. Inputs stay as they are. With \`stdDev\`, the standard deviation of each output, where ` +
          'the twin is estimated.',
        tags: ['assets'],
        params: AssetParams,
        querystring: query({
          horizonS: Type.Number({ exclusiveMinimum: 0, maximum: MAX_HORIZON_S, default: 60 }),
          stepS: Type.Number({ exclusiveMinimum: 0, maximum: MAX_HORIZON_S, default: 1 }),
          limits: Type.Optional(
            Type.String({
              maxLength: 1000,
              description: `Separated by commas. ${LIMITS_DOC}`,
              examples: ['temperature>120'],
            }),
          ),
        }),
        response: { 200: Prediction, ...ERRORS },
      },
    },
    async ({ params, query: { horizonS, stepS, limits }, signal }) => {
      checkSteps(horizonS, stepS);
      const asset = knownAsset(params.asset);
      const copy = live.copy(asset.id);
      if (copy !== null) {
        const wanted = limits === undefined ? [] : limits.split(',');
        return predictionOf(asset.id, copy, { horizonS, stepS }, readLimits(wanted, copy), signal);
      }
      const prediction = live.predict(asset.id, horizonS, stepS);
      if (prediction === undefined) throw noTwin(asset);
      if (limits !== undefined)
        throw badParameter('limits', limits, `none, as the model ${asset.model ?? ''} states no uncertainty`);
      const trajectory = prediction.points.map(({ timestamp, values }) => ({
        timestamp: isoTime(timestamp),
        ...values,
      }));
      return { asset: asset.id, from: isoTime(prediction.from), horizonS, stepS, trajectory };
    },
  );

  app.post(
    '/api/assets/:asset/simulate',
    {
      bodyLimit: MAX_BODY_BYTES,
      // The body is read by hand; the path has texts alone.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'What the model would expect, were inputs, parameters or the state others',
        description:
          'Computed on a copy of the twin, which itself is not touched. What is changed counts as known exactly. ' +
          `At most ${MAX_POINTS} points, ${MAX_BODY_BYTES} bytes. ${LIMITS_DOC}`,
        tags: ['assets'],
        params: AssetParams,
        querystring: NO_QUERY,
        body: SimulationBody,
        response: { 200: Prediction, ...ERRORS },
      },
    },
    async (request) => {
      const body: unknown = request.body;
      const { asset: id } = request.params;
      const { horizonS, stepS, limits, ...changed } = readSimulation(body);
      const asset = knownAsset(id);
      const copy = live.copy(asset.id);
      if (copy === null) {
        if (asset.twin === null) throw noTwin(asset);
        throw notFound(
          `The model ${asset.model ?? ''} has no filter, and only those that have can be simulated.`,
        );
      }
      const { changes, refused } = changesOf(copy.twin, copy.state, changed);
      if (refused.length > 0) throw badParameters(refused);
      const wanted = readLimits(limits, copy);
      return predictionOf(asset.id, copy, { horizonS, stepS }, wanted, request.signal, changes);
    },
  );
}

/** @throws Problem 400 */
function readLimits(texts: readonly string[], { twin }: TwinCopy): readonly Limit[] {
  if (texts.length > MAX_LIMITS) throw badParameter('limits', texts.join(), `at most ${MAX_LIMITS} limits`);
  const { outputs } = twin.process;
  return texts.map((text) => {
    const limit = parseLimit(text, outputs);
    if (limit !== null) return limit;
    const names = Object.keys(outputs).join(', ');
    throw badParameter('limits', text, `output>value or output<value with one of ${names}`);
  });
}
