/**
 * Loaded into a service before all else (NODE_OPTIONS=--import): shifts its wall clock by the milliseconds that the file
 * named in FAULTS_CLOCK_FILE holds, from the moment on that they stand there. Timers and performance.now() go on, as they
 * do where an operator or NTP sets a machine's clock.
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 10;
const file = process.env['FAULTS_CLOCK_FILE'];

if (file !== undefined) {
  const RealDate = Date;
  let offsetMs = 0;
  const look = (): void => {
    const written = Number(readFileSync(file, 'utf8'));
    if (Number.isFinite(written)) offsetMs = written;
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  const now = (): number => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, args: readonly unknown[], newTarget: new () => Date): Date =>
      Reflect.construct<readonly unknown[], Date>(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, key, receiver): unknown =>
      key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown),
  });
}
