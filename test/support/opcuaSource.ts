import type { OpcuaSourceConfig } from '../../config/types.ts';
import type { Reading } from '../../operators/types.ts';
import { createOpcuaSource } from '../../src/sources/opcua/opcuaSource.ts';
import type { OpcuaTiming } from '../../src/sources/opcua/opcuaSource.ts';
import { isDeadLetter } from '../../src/sources/source.ts';
import type { DeadLetter, Source } from '../../src/sources/source.ts';

/** A source and all that it has emitted and logged. */
export interface Recorded {
  readonly source: Source;
  readonly readings: Reading[];
  readonly letters: DeadLetter[];
  readonly warnings: string[];
  readonly infos: string[];
  readonly values: (sensor: string) => (number | null)[];
  completed: boolean;
}

export interface RecordOptions extends OpcuaTiming {
  /** What is stored of a sensor already. */
  readonly newest?: (asset: string, sensor: string) => number | null;
  /** Of the process before. */
  readonly note?: string;
}

/** Starts a source of R101/temperature from ns=2;s=T, fast and without protection unless told otherwise. */
export function recordOpcua(
  settings: Pick<OpcuaSourceConfig, 'endpoint' | 'certificatesFolder'> & Partial<OpcuaSourceConfig>,
  { newest = () => null, note, ...timing }: RecordOptions = {},
): Recorded {
  const warnings: string[] = [];
  const infos: string[] = [];
  const source = createOpcuaSource(
    {
      id: 'plc',
      type: 'opcua',
      mode: 'subscription',
      publishingIntervalMs: 50,
      samplingIntervalMs: 20,
      pollIntervalMs: 50,
      queueSize: 100,
      nodes: { 'R101/temperature': 'ns=2;s=T' },
      units: {},
      securityMode: 'None',
      securityPolicy: 'None',
      username: '',
      password: '',
      watchdogMs: 5000,
      sessionTimeoutMs: 60_000,
      history: { enabled: true, maxHours: 24, pageSize: 1000, maxRatePerS: 2000 },
      trigger: 'statusValueTimestamp',
      maxFutureMs: 60_000,
      reconnect: { minMs: 50, maxMs: 200 },
      ...settings,
    },
    {
      now: () => Date.now(),
      lastPosition: 40,
      delivered: [],
      ...(note !== undefined && { note }),
      newest: (asset, sensor) => Promise.resolve(newest(asset, sensor)),
      log: {
        info: (detail, message) => infos.push(`${message} ${JSON.stringify(detail)}`),
        warn: (detail, message) => warnings.push(`${message} ${JSON.stringify(detail)}`),
      },
    },
    timing,
  );
  const recorded: Recorded = {
    source,
    readings: [],
    letters: [],
    warnings,
    infos,
    values: (sensor) => recorded.readings.filter((r) => r.sensor === sensor).map((r) => r.value),
    completed: false,
  };
  source.events.subscribe({
    next: (event) => {
      if (isDeadLetter(event)) recorded.letters.push(event);
      else recorded.readings.push(event);
    },
    complete: () => (recorded.completed = true),
  });
  return recorded;
}
