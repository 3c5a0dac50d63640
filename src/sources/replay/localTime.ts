const DAY_MS = 86_400_000;

/**
 * Epoch milliseconds of wall-clock times in a time zone (IANA name). A wall-clock time is given as the epoch
 * milliseconds that it would have in UTC.
 *
 * A time that the clocks skip in spring is read with the offset before the change, so it lies as much after it as it
 * claims; a time that comes twice in autumn is the first of the two. (That is `compatible` in RFC 5545 and Temporal.)
 *
 * @throws RangeError where the zone is not known.
 */
export function localTime(timeZone: string): (wallMs: number) => number {
  const offsetAt = zoneOffset(timeZone);
  let day = Number.NaN;
  let before = 0;
  let after = 0;
  return (wallMs) => {
    // Asking Intl takes microseconds: once a day of the recording is enough, except on days of change.
    const asked = Math.floor(wallMs / DAY_MS);
    if (asked !== day) {
      day = asked;
      before = offsetAt((day - 1) * DAY_MS);
      after = offsetAt((day + 2) * DAY_MS);
    }
    const first = wallMs - before;
    if (before === after || offsetAt(first) === before) return first;
    const second = wallMs - after;
    return offsetAt(second) === after ? second : first;
  };
}

/** Wall-clock time minus UTC at an instant, milliseconds. */
function zoneOffset(timeZone: string): (epochMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (epochMs) => {
    const fields: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochMs)) fields[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(epochMs / 1000) * 1000;
  };
}
