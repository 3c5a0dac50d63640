import { CommanderError } from 'commander';
import { ConfigError, problemText } from '../../config/problems.ts';

/** 0 done, 1 failed while running, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** A failure that says all that the user needs: one line a problem, no stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly problems: readonly string[];

  /** @param exitCode 1 failed while running, 2 wrong usage or configuration. */
  constructor(problems: string | readonly string[], exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    const lines = typeof problems === 'string' ? [problems] : problems;
    super(lines.join('\n'), options);
    this.exitCode = exitCode;
    this.problems = lines;
  }
}

export interface ErrorReport {
  readonly exitCode: ExitCode;
  /** For stderr. */
  readonly lines: readonly string[];
}

/** What an error means for the exit code and what the user is told of it. */
export function reportError(error: unknown, verbose: boolean): ErrorReport {
  // commander has already written help, version or its own message.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, lines: [] };
  const { exitCode, problems } = summary(error);
  const stack =
    verbose && error instanceof Error ? (error.stack ?? '').split('\n').slice(problems.length) : [];
  return { exitCode, lines: [...problems.map(oneLine), ...stack] };
}

function summary(error: unknown): { readonly exitCode: ExitCode; readonly problems: readonly string[] } {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError) return { exitCode: 2, problems: error.problems.map(problemText) };
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  return { exitCode: 1, problems: [`error: ${message}`] };
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');
