import { readFileSync } from 'node:fs';

export interface MemoryWatch {
  /** Resident memory now, in MB (10^6 bytes); 0 where the process has ended. */
  now(): number;
  /** The base of `growth` is what the process has now. */
  rebase(): void;
  /** Largest resident memory since the base was set, minus the base, in MB. */
  growth(): number;
  base(): number;
  peak(): number;
  stop(): void;
}

const EVERY_MS = 100;

/** Looks at the resident memory of a process again and again, as the kernel counts it. */
export function watchMemory(pid: number): MemoryWatch {
  let base = residentMb(pid);
  let peak = base;
  const timer = setInterval(() => (peak = Math.max(peak, residentMb(pid))), EVERY_MS);
  return {
    now: () => residentMb(pid),
    rebase: () => {
      base = residentMb(pid);
      peak = base;
    },
    growth: () => Math.max(0, peak - base),
    base: () => base,
    peak: () => peak,
    stop: () => clearInterval(timer),
  };
}

function residentMb(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kib ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}
