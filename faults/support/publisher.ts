import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endOf, owned } from './children.ts';
import type { FromPublisher, PublisherArgs, ToPublisher } from './publisherProcess.ts';
import { until } from './wait.ts';

export interface LoadPublisher {
  /** Numbers of the plan below this have all been acknowledged by the broker. */
  acknowledged(): number;
  /** A number of `acknowledged` at least so large; rejects where the publisher ends before. */
  reached(count: number, timeoutMs?: number): Promise<void>;
  /** Other speed, readings a second; 0 pauses. */
  setRate(rate: number): void;
  /** Sends all from `count` readings before the first unacknowledged one again, in order. */
  rewind(count: number): void;
  /**
   * Sends no new readings, waits until all that was sent is acknowledged, sends the marker (marker.ts) and ends.
   * @returns how many numbers of the plan were sent: 0 up to it, all acknowledged.
   */
  finish(timeoutMs?: number): Promise<number>;
}

/**
 * Starts a process that publishes the plan's readings over one connection, QoS 1, in order. It survives everything that
 * happens to its connection: what is not acknowledged is sent again, in order, with the same source time.
 */
export function startPublisher(args: PublisherArgs): LoadPublisher {
  const script = fileURLToPath(new URL('publisherProcess.ts', import.meta.url));
  const child = owned(
    fork(script, [JSON.stringify(args)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
  let acknowledged = 0;
  let count: number | null = null;
  child.on('message', (message: FromPublisher) => {
    acknowledged = message.acknowledged;
    if (message.type === 'ended') count = message.acknowledged;
  });
  const tell = (message: ToPublisher): void => void child.send(message);
  const check = <T>(answer: T | undefined): T | undefined => {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (answer === undefined && ended) throw new Error('the publisher has ended');
    return answer;
  };
  return {
    acknowledged: () => acknowledged,
    async reached(wanted, timeoutMs = 120_000) {
      const enough = () => check(acknowledged >= wanted ? true : undefined);
      await until(`${wanted} readings to be published`, enough, { timeoutMs });
    },
    setRate: (rate) => tell({ type: 'rate', rate }),
    rewind: (count) => tell({ type: 'rewind', count }),
    async finish(timeoutMs = 60_000) {
      tell({ type: 'finish' });
      const sent = await until('the publisher to end', () => check(count ?? undefined), { timeoutMs });
      await endOf(child);
      return sent;
    },
  };
}
