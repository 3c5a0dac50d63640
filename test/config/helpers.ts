import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { ConfigError, problemText } from '../../config/problems.ts';

/** A folder for configuration files, and loading from it. */
export interface Folder {
  readonly path: string;
  /** Writes a file and returns its path. */
  file(name: string, content: string | Uint8Array): string;
  /** Loads one text as config.yaml. */
  load(yaml: string, env?: Record<string, string>): LoadedConfig;
  /** Problems of one text, with the folder's path left out. */
  problems(yaml: string, env?: Record<string, string>): string[];
  /** Problems of files. */
  problemsOf(files: readonly string[], env?: Record<string, string>): string[];
  remove(): void;
}

export function configFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'rxtwin-config-'));
  const folder: Folder = {
    path,
    file(name, content) {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    load: (yaml, env = {}) => loadConfig([folder.file('config.yaml', yaml)], env),
    problems: (yaml, env = {}) => folder.problemsOf([folder.file('config.yaml', yaml)], env),
    problemsOf(files, env = {}) {
      try {
        loadConfig(files, env);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return error.problems.map((problem) => problemText(problem).replaceAll(`${path}/`, ''));
      }
      return [];
    },
    remove() {
      rmSync(path, { recursive: true, force: true });
    },
  };
  return folder;
}
