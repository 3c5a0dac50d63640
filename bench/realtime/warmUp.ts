/** Start-up and compilation are over by then. */
export const WARM_UP_MS = 5000;
