import type { OpcuaSourceConfig } from '../../../config/types.ts';
import type { Intake, Sink } from './intake.ts';
import { createLink } from './link.ts';
import type { Link } from './link.ts';
import type { MappedNode } from './nodes.ts';
import { every } from './outage.ts';
import type { Outage } from './outage.ts';
import { startPolling } from './polling.ts';
import { startSubscription } from './subscription.ts';

/** What a connection is for. */
export interface ConnectionOwner {
  readonly config: OpcuaSourceConfig;
  readonly nodes: readonly MappedNode[];
  /** How often nodes that do not work are tried again. */
  readonly retryNodesMs: number;
  /** Nodes found stuck on earlier connections. */
  readonly stuck: Set<string>;
  /** Clock, epoch milliseconds. */
  now(): number;
  isPaused(): boolean;
  readonly sink: Pick<Sink, 'value' | 'problem'>;
  onOpen(intake: Intake): void;
}

/**
 * Opens session and intake, and resolves when they have ended and everything is closed again. Failures and the
 * watchdog end `outage` with their reason; so may the caller.
 */
export async function holdConnection(outage: Outage, owner: ConnectionOwner): Promise<void> {
  const { config, nodes, retryNodesMs, stuck } = owner;
  let link: Link | null = null;
  try {
    link = createLink(config, outage);
    const session = await link.open();
    let aliveAt = owner.now();
    const sink: Sink = {
      ...owner.sink,
      alive: () => {
        aliveAt = owner.now();
      },
    };
    const intake =
      config.mode === 'polling'
        ? await startPolling(session, config, nodes, outage, sink, owner.isPaused())
        : await startSubscription(
            session,
            config,
            nodes,
            outage,
            sink,
            owner.isPaused(),
            retryNodesMs,
            stuck,
          );
    // It may have changed while the intake was starting.
    intake.setPaused(owner.isPaused());
    every(outage, Math.max(50, intake.maxSilenceMs / 4), () => {
      const silentMs = owner.now() - aliveAt;
      // The clock was set back.
      if (silentMs < 0) aliveAt = owner.now();
      if (silentMs > intake.maxSilenceMs) outage.end(`nothing heard for ${silentMs} ms`);
    });
    if (outage.reason === null) owner.onOpen(intake);
    await outage.ended;
  } catch (error) {
    outage.end(error instanceof Error ? error.message : String(error));
  } finally {
    await link?.close();
  }
}
