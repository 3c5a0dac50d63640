/** The reading that a publisher sends last of all: once the service shows it, it has taken in all before it. */
export const MARKER = { asset: 'MARKER', sensor: 'end' } as const;
