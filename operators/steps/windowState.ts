import type { Pane } from './windowPanes.ts';

/** Times are epoch milliseconds; those set to 0 count from the first reading on. */
export interface WindowState {
  started: boolean;
  asset: string;
  sensor: string;
  unit: string;
  /** How far event time has come; windows that end at or before it are closed. */
  watermark: number;
  /** Largest source time seen, and arrival of the last reading. */
  largest: number;
  arrivedAt: number;
  /** End of the first window that is not closed. */
  nextEnd: number;
  /** Panes that start before are gone; `carry` is the last value in them. */
  keepFrom: number;
  carry: number | null;
  /** Panes with readings, by start. */
  panes: Pane[];
  /** Values kept one by one, over all panes. */
  sampleCount: number;
  /** No pane that starts before has samples. */
  foldFrom: number;
  /** With lateness only: emitted windows that a late reading may still change, by end. */
  emitted: { end: number; revision: number }[];
}

export const windowState = (): WindowState => ({
  started: false,
  asset: '',
  sensor: '',
  unit: '',
  watermark: 0,
  largest: 0,
  arrivedAt: 0,
  nextEnd: 0,
  keepFrom: 0,
  carry: null,
  panes: [],
  sampleCount: 0,
  foldFrom: -Number.MAX_VALUE,
  emitted: [],
});
