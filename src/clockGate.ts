import type { Entry } from './processor.ts';
import { isTick } from './processor.ts';
import { isDeadLetter } from './sources/source.ts';
import type { Source } from './sources/source.ts';

/** A source that is not reached for so long after the start is not waited for. */
const UNREACHED_MS = 5000;
/** Wall clock and monotonic clock that part by more than this between two ticks: somebody has set the wall clock. */
const JUMP_MS = 1000;
/** How long a source is watched before it is judged. */
const LOOK_MS = 1000;
/** So many looks in a row without an arrival, and nothing has queued up: a busy broker or machine may let one go by. */
const QUIET_LOOKS = 2;
/** A plant whose clock is wrong lags for ever, but by the same: by less than this less, at so many looks in a row. */
const PROGRESS_MS = 50;
const STEADY_LOOKS = 5;
/** Behind a pause that was shorter nothing to speak of has queued up. */
const QUEUED_MS = 200;
/** Readings no older than this when they arrive are live. */
const LIVE_LAG_MS = 2000;

interface CatchingUp {
  /** When it began, and when it was judged last, by the monotonic clock. */
  readonly since: number;
  judgedAt: number;
  /** Clock minus source time of the newest arrival; null before the first. */
  lagMs: number | null;
  /** The least that it was at any look. */
  leastLagMs: number;
  /** Looks in a row at which it was no less. */
  steadyLooks: number;
  arrivals: number;
  /** Looks in a row without an arrival. */
  quietLooks: number;
}

interface Watched {
  readonly source: Pick<Source, 'id' | 'status'>;
  connections: number;
  catchingUp: CatchingUp | null;
}

/**
 * Decides which ticks of the clock enter the pipeline.
 *
 * After a start, a reconnect, or when the service itself has held it back, a source first delivers what has queued up meanwhile. A clock that ran ahead of it would fill
 * gaps that are none, and close windows that are not over, so it is withheld until what arrives is live, or nothing
 * arrives any more, or `catchUpMs` are over. The same goes for a wall clock that was set: no sensor was silent for that hour.
 */
export class ClockGate {
  readonly #sources: readonly Watched[];
  readonly #catchUpMs: number;
  readonly #startedAt: number;
  #last: { readonly wall: number; readonly monotonic: number } | null = null;
  #watching = true;
  /** Since when the sources are held back by the service itself, by the monotonic clock; null while they are not. */
  #heldSince: number | null = null;

  /** @param monotonic by the monotonic clock, ms, like the one that `passes` is given. */
  constructor(sources: readonly Pick<Source, 'id' | 'status'>[], catchUpMs: number, monotonic: number) {
    this.#sources = sources.map((source) => ({ source, connections: 0, catchingUp: null }));
    this.#catchUpMs = catchUpMs;
    this.#startedAt = monotonic;
  }

  /** To be told of each input. */
  saw({ input }: Entry): void {
    if (!this.#watching || isTick(input) || isDeadLetter(input) || input.received === null) return;
    const { source, arrivedAt } = input.received;
    const catchingUp = this.#sources.find((each) => each.source.id === source)?.catchingUp;
    if (catchingUp === null || catchingUp === undefined) return;
    catchingUp.arrivals += 1;
    catchingUp.lagMs = arrivedAt - input.timestamp;
  }

  /**
   * To be told when the service holds up its senders, and when they may go on. What comes meanwhile waits outside, so the clock
   * waits too; after a short stop, as in a burst, nothing has queued up.
   */
  hold(held: boolean, monotonic: number): void {
    if (held) {
      this.#heldSince ??= monotonic;
      return;
    }
    const queued = this.#heldSince !== null && monotonic - this.#heldSince >= QUEUED_MS;
    this.#heldSince = null;
    if (!queued) return;
    for (const watched of this.#sources) if (watched.catchingUp === null) this.#catchUp(watched, monotonic);
  }

  #catchUp(watched: Watched, since: number): void {
    watched.catchingUp = {
      since,
      judgedAt: since,
      lagMs: null,
      leastLagMs: Infinity,
      steadyLooks: 0,
      arrivals: 0,
      quietLooks: 0,
    };
    this.#watching = true;
  }

  /** Whether the tick at `wall` (epoch ms) enters the pipeline. To be asked once a tick. */
  passes(wall: number, monotonic: number): boolean {
    const jumped =
      this.#last !== null && Math.abs(wall - this.#last.wall - (monotonic - this.#last.monotonic)) > JUMP_MS;
    this.#last = { wall, monotonic };
    if (this.#heldSince !== null) return false;
    const waiting = this.#sources.filter((source) => this.#isWaitedFor(source, monotonic, jumped));
    this.#watching = waiting.length > 0;
    return waiting.length === 0;
  }

  #isWaitedFor(watched: Watched, now: number, jumped: boolean): boolean {
    const { connected, reconnects } = watched.source.status();
    const connections = connected ? reconnects + 1 : watched.connections;
    if (connections > watched.connections || (jumped && connected)) {
      watched.connections = connections;
      this.#catchUp(watched, now);
      return this.#catchUpMs > 0;
    }
    if (watched.connections === 0) return now - this.#startedAt < Math.min(UNREACHED_MS, this.#catchUpMs);
    if (!connected) watched.catchingUp = null;
    if (watched.catchingUp !== null && this.#isLive(watched.catchingUp, now)) watched.catchingUp = null;
    return watched.catchingUp !== null;
  }

  #isLive(state: CatchingUp, now: number): boolean {
    if (now - state.since >= this.#catchUpMs) return true;
    if (now - state.judgedAt < LOOK_MS) return false;
    state.judgedAt = now;
    state.quietLooks = state.arrivals === 0 ? state.quietLooks + 1 : 0;
    if (state.arrivals === 0) return state.quietLooks >= QUIET_LOOKS;
    const { lagMs, leastLagMs } = state;
    state.arrivals = 0;
    if (lagMs === null || Math.abs(lagMs) < LIVE_LAG_MS) return true;
    state.steadyLooks = leastLagMs - lagMs < PROGRESS_MS ? state.steadyLooks + 1 : 0;
    state.leastLagMs = Math.min(leastLagMs, lagMs);
    return state.steadyLooks >= STEADY_LOOKS;
  }
}
