import { Type } from 'typebox';
import type { TProperties, TSchema } from 'typebox';

/*
 * The schemas of parameters and responses: what validates requests is also what the OpenAPI document shows.
 */

/** Query parameters; any other is refused. One with a default may be left out, and the handler finds it filled in. */
export function query<T extends TProperties>(properties: T): Type.TObject<T> {
  const schema = Type.Object(properties, { additionalProperties: false });
  const required = Object.entries(properties)
    .filter(([, property]) => !Type.IsOptional(property) && !('default' in property))
    .map(([key]) => key);
  return Object.assign(schema, { required });
}

export const NO_QUERY = query({});

const time = Type.String({ format: 'date-time', examples: ['2025-10-26T10:30:15.000Z'] });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const number = Type.Number();
const name = (description: string) => Type.String({ minLength: 1, maxLength: 256, description });

export const AssetParams = Type.Object({ asset: name('Id of the asset') });
export const SensorParams = Type.Object({
  asset: name('Id of the asset'),
  sensor: name('Name of the sensor'),
});

const quality = Type.String({ examples: ['Good', 'Uncertain', 'Bad'] });
const issues = Type.Array(Type.Object({ check: Type.String(), message: Type.String() }));
const estimate = nullable(Type.Object({ value: number, ratePerS: number, stdDev: number }));

const sync = Type.Object({
  status: Type.Union([Type.Literal('synchronised'), Type.Literal('degraded'), Type.Literal('lost')]),
  lagMs: number,
  staleSensors: Type.Array(Type.String()),
  cause: Type.Optional(Type.String({ description: 'Why plant and model have parted; only where they have' })),
  since: Type.Optional(time),
});

export const AssetList = Type.Object({
  assets: Type.Array(
    Type.Object({
      asset: Type.String(),
      model: nullable(Type.String()),
      sensors: Type.Array(
        Type.Object({
          sensor: Type.String(),
          value: nullable(number),
          unit: Type.String(),
          quality: nullable(quality),
          timestamp: nullable(time),
          issues,
          estimate,
          stale: Type.Boolean(),
        }),
      ),
      sync: nullable(sync),
      anomaly: nullable(
        Type.Object({ alarm: Type.Boolean(), since: nullable(time), learning: Type.Boolean() }),
      ),
    }),
  ),
  truncated: Type.Boolean(),
});

export const Twin = Type.Object({
  asset: Type.String(),
  timestamp: time,
  state: Type.Record(
    Type.String(),
    Type.Object({ value: number, unit: Type.String(), stdDev: nullable(number) }),
  ),
  parameters: Type.Record(Type.String(), number),
  parameterStdDev: Type.Optional(
    Type.Record(Type.String(), number, { description: 'Only of models that estimate parameters' }),
  ),
  insights: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'What else the model says, by subject' }),
  ),
  residuals: Type.Record(Type.String(), number),
  sync,
});

export const Prediction = Type.Object({
  asset: Type.String(),
  from: time,
  horizonS: number,
  stepS: number,
  trajectory: Type.Array(
    Type.Object(
      {
        timestamp: time,
        stdDev: Type.Optional(
          Type.Record(Type.String(), nullable(number), {
            description: 'By output; only where the twin is estimated',
          }),
        ),
      },
      { additionalProperties: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
    ),
  ),
  limits: Type.Optional(
    Type.Array(
      Type.Object({
        limit: Type.String({ examples: ['temperature>120'] }),
        probability: number,
        medianS: nullable(number),
        from5S: nullable(number),
        to95S: nullable(number),
      }),
      { description: 'Only where limits were asked for' },
    ),
  ),
});

const level = Type.Object({ atS: number, value: number }, { additionalProperties: false });

export const SimulationBody = Type.Object(
  {
    horizonS: Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: 60 }),
    stepS: Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: 1 }),
    inputs: Type.Record(
      Type.String(),
      Type.Union([number, Type.Array(level, { minItems: 1, maxItems: 100 })]),
      {
        description:
          "Measured inputs in their sensors' units, or inputs of the model in its own: a value, or levels from a time on",
        examples: [
          {
            coolant_temperature: [
              { atS: 0, value: 27 },
              { atS: 60, value: 17 },
            ],
          },
        ],
      },
    ),
    parameters: Type.Record(Type.String(), number, {
      description: "In the model's units",
      examples: [{ heatTransfer: 650 }],
    }),
    state: Type.Record(Type.String(), number, {
      description: "Outputs that follow from one state alone, in the outputs' units",
      examples: [{ temperature: 80 }],
    }),
    limits: Type.Array(Type.String(), { maxItems: 8, examples: [['temperature>120']] }),
  },
  { additionalProperties: false, required: [] },
);

const rowProperties = {
  timestamp: time,
  value: nullable(number),
  unit: Type.String(),
  quality,
  issues,
  imputed: Type.Boolean(),
  estimate,
};

export const Latest = Type.Object({
  asset: Type.String(),
  sensor: Type.String(),
  ...rowProperties,
  stale: Type.Boolean(),
});

const historyProperties = {
  asset: Type.String(),
  sensor: Type.String(),
  start: time,
  end: time,
  incomplete: Type.Optional(
    Type.String({ description: 'Only where InfluxDB gave no answer: what is missing for it, and why' }),
  ),
};

export const History = Type.Union([
  Type.Object({
    ...historyProperties,
    readings: Type.Array(Type.Object(rowProperties)),
    truncated: Type.Boolean(),
  }),
  Type.Object({
    ...historyProperties,
    windowMs: number,
    windows: Type.Array(
      Type.Object({
        start: time,
        end: time,
        count: Type.Integer(),
        badCount: Type.Integer(),
        mean: nullable(number),
        timeWeightedMean: nullable(number),
        min: nullable(number),
        max: nullable(number),
        stdDev: nullable(number),
        first: nullable(number),
        last: nullable(number),
      }),
    ),
    truncated: Type.Boolean(),
  }),
]);

/** What a route answers with instead of JSON where CSV is asked for. */
export const CSV_TEXT = { schema: Type.String() };

export const Smoothed = Type.Object({
  asset: Type.String(),
  sensor: Type.String(),
  start: time,
  end: time,
  smoothed: Type.Array(
    Type.Object({
      name: Type.String({ examples: ['temperature_smoothed_10s'] }),
      timestamp: time,
      value: number,
      unit: Type.String(),
      ratePerS: number,
      stdDev: number,
      lagMs: number,
    }),
  ),
  truncated: Type.Boolean(),
});

const anomalyEvent = Type.Enum(['onset', 'cleared', 'accepted', 'update']);
const contributions = Type.Array(
  Type.Object(
    { sensor: Type.String(), share: number },
    { description: 'Largest share first; they sum to 1' },
  ),
);

export const Anomaly = Type.Object({
  asset: Type.String(),
  learning: Type.Boolean({ description: 'There is no baseline yet' }),
  learned: Type.Optional(Type.Integer({ description: 'While learning: intervals so far' })),
  learnCount: Type.Optional(Type.Integer({ description: 'While learning: intervals wanted' })),
  timestamp: nullable(time),
  event: nullable(anomalyEvent),
  score: nullable(number),
  threshold: nullable(number),
  alarm: Type.Boolean(),
  since: nullable(time),
  contributions,
  alarms: Type.Integer({ description: 'Alarms that began since the asset is watched' }),
  start: Type.Optional(time),
  end: Type.Optional(time),
  records: Type.Optional(
    Type.Array(
      Type.Object({
        timestamp: time,
        event: anomalyEvent,
        score: number,
        threshold: number,
        alarm: Type.Boolean(),
        since: nullable(time),
        contributions,
      }),
    ),
  ),
  truncated: Type.Optional(Type.Boolean()),
});

export const DeadLetters = Type.Object({
  deadLetters: Type.Array(
    Type.Object({
      source: Type.String(),
      position: number,
      arrivedAt: time,
      reason: Type.String(),
      detail: Type.String(),
      origin: Type.String(),
      payload: Type.String(),
    }),
  ),
});

export const Quarantine = Type.Object({
  points: Type.Array(Type.Object({ at: time, line: Type.String(), reason: Type.String() })),
});

export const Sources = Type.Object({
  sources: Type.Array(
    Type.Object({
      source: Type.String(),
      type: Type.String(),
      connected: Type.Boolean(),
      detail: Type.String(),
      reconnects: Type.Integer(),
      problems: Type.Record(Type.String(), Type.String()),
    }),
  ),
});

export const Live = Type.Object({ status: Type.Literal('ok') });

const parts = Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() }));
export const Ready = Type.Object({ ready: Type.Boolean(), parts });

export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ parameter: Type.String(), value: Type.String(), expected: Type.String() })),
    ),
    parts: Type.Optional(parts),
  },
  { $id: 'Problem', description: 'Problem details, RFC 9457' },
);

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
});

/** Errors that every route may answer with. */
export const ERRORS = { '4xx': problem('The request is wrong'), '5xx': problem('The service has failed') };
