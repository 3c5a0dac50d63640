import { runCli } from './cli/cli.ts';

// A reader that has seen enough (`rxtwin query … | head`) closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Set, not called: what was written to a pipe still gets out before the process ends by itself.
process.exitCode = await runCli(process.argv.slice(2));
