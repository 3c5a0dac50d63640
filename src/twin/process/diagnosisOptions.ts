import { numberAbove, numberAtLeast } from '../../../operators/options.ts';

/** When plant and model part, and how it is told whose fault it is. */
export interface DiagnosisOptions {
  /** Parameters and inputs whose change is a process fault; null: those that are estimated or considered. Default null. */
  readonly parameters?: readonly string[] | null;
  /** Time constant of the longer average of the innovations; the shorter one's is a tenth. > 0. Default 600000. */
  readonly windowMs?: number;
  /** Times a day that plant and model part by chance, all quantities together. > 0. Default 0.1. */
  readonly falseAlarmsPerDay?: number;
  /** What an imperfect model may always be off: mean innovation in standard deviations. >= 0. Default 0.3. */
  readonly biasTolerance?: number;
  /** Share by which NIS may always be over 1. >= 0. Default 0.3. */
  readonly nisTolerance?: number;
  /** Autocorrelation at lag 1 that innovations may always have. >= 0. Default 0.2. */
  readonly correlationTolerance?: number;
  /** Measurements are averaged over so long before hypotheses are compared on them. > 0. Default 20000. */
  readonly blockMs?: number;
  /** So much of the past is kept for it; where plant and model have parted half as much more. > 0. Default 1200000. */
  readonly historyMs?: number;
  /** Hypotheses are compared at most so often. > 0. Default 60000. */
  readonly everyMs?: number;
  /** Log likelihood ratio, less its penalty, from which an explanation is believed. > 0. Default 10. */
  readonly evidence?: number;
  /** And how much better than the next it must be. > 0. Default 5. */
  readonly margin?: number;
  /** Plant and model have to agree again for so long before a verdict is taken back. >= 0. Default 1800000. */
  readonly holdMs?: number;
}

export type ResolvedDiagnosis = Required<DiagnosisOptions>;

/** @throws RangeError that names the option, its value and what was expected. */
export function resolveDiagnosis(options: DiagnosisOptions): ResolvedDiagnosis {
  const resolved = {
    parameters: options.parameters ?? null,
    windowMs: numberAbove('windowMs', options.windowMs ?? 600_000, 0),
    falseAlarmsPerDay: numberAbove('falseAlarmsPerDay', options.falseAlarmsPerDay ?? 0.1, 0),
    biasTolerance: numberAtLeast('biasTolerance', options.biasTolerance ?? 0.3, 0),
    nisTolerance: numberAtLeast('nisTolerance', options.nisTolerance ?? 0.3, 0),
    correlationTolerance: numberAtLeast('correlationTolerance', options.correlationTolerance ?? 0.2, 0),
    blockMs: numberAbove('blockMs', options.blockMs ?? 20_000, 0),
    historyMs: numberAbove('historyMs', options.historyMs ?? 1_200_000, 0),
    everyMs: numberAbove('everyMs', options.everyMs ?? 60_000, 0),
    evidence: numberAbove('evidence', options.evidence ?? 10, 0),
    margin: numberAbove('margin', options.margin ?? 5, 0),
    holdMs: numberAtLeast('holdMs', options.holdMs ?? 1_800_000, 0),
  };
  const blocks = resolved.historyMs / resolved.blockMs;
  if (!(blocks >= 20 && blocks <= MOST_BLOCKS)) {
    throw new RangeError(
      `historyMs: ${resolved.historyMs} is not valid, expected 20 to ${MOST_BLOCKS} times blockMs`,
    );
  }
  return resolved;
}

/** Bounds memory and time. */
const MOST_BLOCKS = 120;
