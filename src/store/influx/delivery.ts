import type { QuarantinedPoint } from '../store.ts';
import type { Gate } from './gate.ts';
import { Stopped } from './wake.ts';
import type { Refusal, WriteAnswer, Writer } from './writer.ts';

/** Points that are tried one by one to see whether the server takes anything at all. */
export const SAMPLES = 20;

export interface Delivery {
  /**
   * Resolves when the server has taken every line or refused it for good (then it is in quarantine). Retries without end.
   * Rejects with `Stopped`, or where the quarantine cannot be written; the lines may then be delivered again.
   *
   * @param others lines that the server may take where it takes none of these
   */
  deliver(lines: readonly string[], others: () => Promise<readonly string[]>): Promise<Delivered>;
}

/** So many requests later a request may be twice as large again, after one was too large. */
const GROW_AFTER = 100;

export interface Delivered {
  readonly quarantined: number;
}

export interface DeliveryParts {
  readonly writer: Writer;
  readonly gate: Gate;
  readonly maxLines: number;
  readonly stop: AbortSignal;
  /** Ends requests in flight. */
  readonly abort: AbortSignal;
  readonly now: () => number;
  readonly random: () => number;
  readonly quarantine: (points: readonly QuarantinedPoint[]) => Promise<void>;
}

type Decided = Exclude<WriteAnswer, { kind: 'failed' | 'misconfigured' }>;
type Suspect = Omit<QuarantinedPoint, 'at'>;

/**
 * Sends lines, and finds those that the server refuses by splitting what it refused. A refused point is believed to be bad
 * only when the server, after refusing it, has taken another point: a server that refuses everything has a fault of its own, and the
 * lines wait for its end. The one exception are points that are older than the bucket keeps.
 */
export function createDelivery(parts: DeliveryParts): Delivery {
  const { writer, gate, stop, abort, now, random } = parts;
  let maxLines = parts.maxLines;
  let taken = 0;
  /** A line that the server has taken; sent again it changes nothing. */
  let witness: string | null = null;

  async function send(lines: readonly string[]): Promise<Decided> {
    for (;;) {
      await gate.pass();
      const answer = await writer.write(lines, abort);
      if (answer.kind === 'done') {
        witness = lines.at(-1) ?? witness;
        taken += 1;
        if (taken % GROW_AFTER === 0) maxLines = Math.min(parts.maxLines, maxLines * 2);
        gate.succeeded();
        return answer;
      }
      if (stop.aborted) throw new Stopped();
      if (answer.kind === 'failed')
        gate.failed({ kind: 'retrying', reason: answer.reason }, answer.retryAfterMs);
      else if (answer.kind === 'misconfigured') gate.failed({ kind: 'misconfigured', reason: answer.reason });
      else {
        gate.answered();
        return answer;
      }
    }
  }

  async function takesAny(candidates: readonly string[]): Promise<boolean> {
    for (const line of candidates) if ((await send([line])).kind === 'done') return true;
    return false;
  }

  async function takesAnything(
    own: readonly string[],
    others: () => Promise<readonly string[]>,
  ): Promise<boolean> {
    if (witness !== null && (await takesAny([witness]))) return true;
    witness = null;
    return (await takesAny(sample(own, random))) || takesAny(sample(await others(), random));
  }

  return {
    async deliver(lines, others) {
      const open: (readonly string[])[] = lines.length === 0 ? [] : [lines];
      let suspects: Suspect[] = [];
      let worthSplitting = false;
      let takenSince = false;
      let quarantined = 0;
      const quarantine = async (bad: readonly Suspect[]): Promise<void> => {
        await parts.quarantine(bad.map((suspect) => ({ at: now(), ...suspect })));
        quarantined += bad.length;
      };
      const refusesAll = (part: readonly string[], reason: string): void => {
        gate.failed({ kind: 'refused', reason: `refuses everything: ${reason}` });
        // What was cut up in vain goes as a whole again.
        open.splice(0, open.length, [...part, ...open.reverse().flat()]);
        maxLines = parts.maxLines;
        worthSplitting = false;
      };
      for (;;) {
        const part = open.pop();
        if (part === undefined) {
          const [first] = suspects;
          if (first === undefined) return { quarantined };
          const lastLines = suspects.map(({ line }) => line);
          if (takenSince || (await takesAnything([], others))) {
            // Once more: the fault may have been the server's, and be over.
            if ((await send(lastLines)).kind !== 'done') await quarantine(suspects);
            return { quarantined };
          }
          refusesAll(lastLines, first.reason);
          suspects = [];
          continue;
        }
        if (part.length > maxLines) {
          open.push(...cut(part, maxLines).reverse());
          continue;
        }
        const answer = await send(part);
        if (answer.kind === 'done') {
          takenSince = true;
          continue;
        }
        const { reason } = answer;
        if (answer.kind === 'tooLarge' && part.length > 1) {
          maxLines = Math.ceil(part.length / 2);
          open.push(part);
          continue;
        }
        const refusal = answer.kind === 'refused' ? answer.refusal : null;
        const whole = part.length === 1 || (refusal !== null && refusedWhole(part, refusal));
        if (whole && refusal?.beyondRetention === true) {
          await quarantine(part.map((line) => ({ line, reason })));
          continue;
        }
        // Splitting is only worth its many requests where something will get through.
        worthSplitting ||= lines.length === 1 || refusal?.beyondRetention === true;
        worthSplitting ||= await takesAnything(lines, others);
        if (!worthSplitting) refusesAll(part, reason);
        else if (whole) {
          suspects = suspects.concat(part.map((line) => ({ line, reason })));
          takenSince = false;
          // It was the point that was too large, not the request.
          if (answer.kind === 'tooLarge') maxLines = parts.maxLines;
        } else open.push(...split(part, refusal).reverse());
      }
    },
  };
}

/** Whether the server said, by number or by name, that it is every line. */
const refusedWhole = (lines: readonly string[], refusal: Refusal): boolean =>
  refusal.dropped === null ? named(lines, refusal).length === lines.length : refusal.dropped >= lines.length;

/** A server that cannot parse lines quotes them, one in a line of its message. */
function named(lines: readonly string[], { message }: Refusal): readonly string[] {
  const quoted = new Set(message.split('\n').map((text) => /unable to parse '(.*)': /.exec(text)?.[1]));
  return lines.filter((line) => quoted.has(line));
}

/** Into the lines that the server has named and the others; otherwise in the middle. */
function split(lines: readonly string[], refusal: Refusal | null): string[][] {
  const bad = new Set(refusal === null ? [] : named(lines, refusal));
  if (bad.size > 0 && bad.size < lines.length) {
    return [lines.filter((line) => !bad.has(line)), [...bad]];
  }
  return cut(lines, Math.ceil(lines.length / 2));
}

function cut(lines: readonly string[], size: number): string[][] {
  const count = Math.ceil(lines.length / size);
  return Array.from({ length: count }, (_, i) => lines.slice(i * size, (i + 1) * size));
}

/** At most SAMPLES of the lines, spread over all of them. */
export function sample(lines: readonly string[], random: () => number): readonly string[] {
  const count = Math.min(SAMPLES, lines.length);
  const step = lines.length / count;
  return Array.from({ length: count }, (_, i) => lines[Math.floor((i + random()) * step)] ?? '').filter(
    (line) => line !== '',
  );
}
