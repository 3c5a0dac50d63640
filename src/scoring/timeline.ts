/** When an alarm was in force: changes in order of time. */
export class AlarmTimeline {
  readonly #changes: { readonly at: number; readonly alarm: boolean }[] = [];

  /** From `at` (epoch milliseconds, not before the last) on. */
  set(at: number, alarm: boolean): void {
    if ((this.#changes.at(-1)?.alarm ?? false) !== alarm) this.#changes.push({ at, alarm });
  }

  /** A reader for times in ascending order: whether an alarm is in force at each. */
  reader(): (at: number) => boolean {
    let next = 0;
    let alarm = false;
    return (at) => {
      for (let change = this.#changes[next]; change !== undefined && change.at <= at;) {
        alarm = change.alarm;
        change = this.#changes[++next];
      }
      return alarm;
    };
  }
}
