import type { SourceEvent } from '../source.ts';

/** Holds events back while paused, in order and up to `capacity`. */
export interface Gate {
  pass(event: SourceEvent): void;
  /** Emits what is held, until paused again. */
  open(): void;
  close(): void;
  readonly isOpen: boolean;
  readonly isFull: boolean;
}

/** `onFull` is called once for each time that the gate fills up. */
export function createGate(capacity: number, emit: (event: SourceEvent) => void, onFull: () => void): Gate {
  const held: SourceEvent[] = [];
  let isOpen = true;
  let draining = false;
  const drain = (): void => {
    // A consumer that resumes from within its own handler must not overtake the event before it.
    if (draining) return;
    draining = true;
    let done = 0;
    try {
      for (let event = held[done]; isOpen && event !== undefined; event = held[done]) {
        done += 1;
        emit(event);
      }
    } finally {
      held.splice(0, done);
      draining = false;
    }
  };
  return {
    pass(event) {
      if (isOpen && held.length === 0) {
        emit(event);
        return;
      }
      held.push(event);
      if (held.length === capacity) onFull();
    },
    open() {
      isOpen = true;
      drain();
    },
    close() {
      isOpen = false;
    },
    get isOpen() {
      return isOpen;
    },
    get isFull() {
      return held.length >= capacity;
    },
  };
}
