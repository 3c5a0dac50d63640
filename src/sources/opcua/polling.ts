import type { ClientSession } from 'node-opcua';
import type { OpcuaSourceConfig } from '../../../config/types.ts';
import { nodeProblem, readLimits, readValues } from './intake.ts';
import type { Intake, Sink } from './intake.ts';
import type { MappedNode } from './nodes.ts';
import type { Outage } from './outage.ts';

/** Reads all nodes every `pollIntervalMs`; a slow server is polled less often, never twice at a time. */
export async function startPolling(
  session: ClientSession,
  config: OpcuaSourceConfig,
  nodes: readonly MappedNode[],
  outage: Outage,
  sink: Sink,
  paused: boolean,
): Promise<Intake> {
  const limits = await readLimits(session, outage);
  let isPaused = paused;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = performance.now();
  /** Nodes that have worked on this connection. */
  const working = new Set<string>();

  const poll = async (): Promise<void> => {
    if (!isPaused) {
      const values = await readValues(session, outage, nodes, limits);
      for (const [node, dataValue] of values) {
        const problem = nodeProblem(dataValue);
        sink.problem(node, problem);
        // That a node has gone is told once, not at every poll, as a subscription would.
        if (problem === null) working.add(node.key);
        else if (!working.delete(node.key)) continue;
        sink.value(node, dataValue);
      }
    }
    sink.alive();
  };

  const cycle = async (): Promise<void> => {
    try {
      await poll();
    } catch (error) {
      outage.end(error instanceof Error ? error.message : String(error));
      return;
    }
    dueAt = Math.max(dueAt + config.pollIntervalMs, performance.now());
    if (outage.reason === null)
      timer = setTimeout(() => void cycle(), Math.max(0, dueAt - performance.now()));
  };
  outage.onEnd(() => {
    clearTimeout(timer);
  });
  void cycle();

  return {
    maxSilenceMs: config.watchdogMs + config.pollIntervalMs,
    setPaused: (value) => {
      isPaused = value;
    },
    remnant: () => null,
  };
}
