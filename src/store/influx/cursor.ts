import type { ForwardCursor } from '../store.ts';

/** The commits in (after, upTo]. */
export interface Span {
  readonly after: number;
  readonly upTo: number;
}

/** Where the next live commits begin. */
export const liveFrom = (cursor: ForwardCursor): number => cursor.ahead?.to ?? cursor.through;

/** What lies before the live commits and is still to be done; null where nothing does. */
export const backlogOf = ({ through, ahead }: ForwardCursor): Span | null =>
  ahead === null ? null : { after: through, upTo: ahead.from };

/** One number again where the two lanes have met. */
const joined = (cursor: ForwardCursor): ForwardCursor =>
  cursor.ahead !== null && cursor.through >= cursor.ahead.from
    ? { through: Math.max(cursor.through, cursor.ahead.to), ahead: null }
    : cursor;

/** The live lane has done everything from where it began up to `done`. */
export const liveDone = ({ through, ahead }: ForwardCursor, done: number): ForwardCursor =>
  joined(
    ahead === null
      ? { through: Math.max(through, done), ahead }
      : { through, ahead: { from: ahead.from, to: Math.max(ahead.to, done) } },
  );

/** Everything up to `done` is done, or given up. */
export const backlogDone = ({ through, ahead }: ForwardCursor, done: number): ForwardCursor =>
  joined({ through: Math.max(through, done), ahead });

/**
 * Live forwarding goes on after `last`; everything before is backlog. A range that was done ahead before is forgotten and sent
 * again, which rewrites the same points: a cursor has room for one range only.
 */
export const splitAt = ({ through }: ForwardCursor, last: number): ForwardCursor =>
  joined({ through, ahead: { from: last, to: last } });
