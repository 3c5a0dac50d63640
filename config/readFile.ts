import { closeSync, openSync, readSync } from 'node:fs';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node as YamlNode } from 'yaml';
import { shownKey } from './problems.ts';
import type { Problem } from './problems.ts';
import type { Node } from './tree.ts';

const MAX_BYTES = 4 * 1024 * 1024;
/** Aliases repeat what they name; a real configuration of 20 000 sensors stays far below. */
const MAX_NODES = 1_000_000;
const MAX_DEPTH = 64;
/** After the first few, syntax errors of one file mostly follow from one another. */
const MAX_SYNTAX_PROBLEMS = 10;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'not readable: permission denied',
  EPERM: 'not readable: permission denied',
  EISDIR: 'is a directory, expected a file',
  ENOTDIR: 'no such file: a part of the path is not a directory',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'too many symbolic links',
};

/** Text of a file of at most 4 MB. @throws Error with a sentence for people. */
export function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readBounded(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new Error(REASONS[code] ?? `not readable: ${code}`, { cause: error });
  }
  if (bytes.length > MAX_BYTES) throw new Error('larger than 4 MB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('not UTF-8 text', { cause: error });
  }
}

/** Reads no more than it must to see that a file is too large: it may be a device without end. */
function readBounded(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total <= MAX_BYTES) {
      const chunk = Buffer.alloc(65_536);
      const read = readSync(fd, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      total += read;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(fd);
  }
}

/** A configuration file as a tree, undefined if it is empty; what is wrong with it goes to `problems`. */
export function readConfigFile(file: string, problems: Problem[]): Node | undefined {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    problems.push({ file, key: '', problem: error instanceof Error ? error.message : 'not readable' });
    return undefined;
  }
  try {
    return parse(file, text, problems);
  } catch (error) {
    // The parser recurses: nesting of many thousands of levels ends its stack.
    const problem = error instanceof RangeError ? 'too deeply nested' : 'not YAML';
    problems.push({ file, key: '', problem });
    return undefined;
  }
}

function parse(file: string, text: string, problems: Problem[]): Node | undefined {
  if (file.toLowerCase().endsWith('.json') && !isJson(file, text, problems)) return undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const faults = [...document.errors, ...document.warnings];
  for (const fault of faults.slice(0, MAX_SYNTAX_PROBLEMS)) {
    const line = lines.linePos(fault.pos[0]).line;
    problems.push({ file: `${file}:${line}`, key: '', problem: syntaxProblem(fault.code, fault.message) });
  }
  if (faults.length > 0) return undefined;
  const before = problems.length;
  const root = new TreeBuilder(file, lines, document, problems).build();
  if (problems.length > before) return undefined;
  if (root.kind === 'scalar' && root.value === null) return undefined;
  if (root.kind !== 'map') {
    const what = root.kind === 'list' ? 'a list' : 'a single value';
    problems.push({ file, key: '', problem: `holds ${what}, expected a mapping of keys to values` });
    return undefined;
  }
  return root;
}

/** The parser's sentence without what it quotes from the file, which may be a secret. */
function syntaxProblem(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'holds several YAML documents, expected one';
  if (code === 'TAG_RESOLVE_FAILED') return 'YAML tags are not supported here';
  if (/call stack/i.test(message)) return 'too deeply nested';
  const sentence = message.replace(/[:"'\n].*$/s, '').trim();
  return `not valid YAML: ${sentence === '' ? code : sentence}`;
}

function isJson(file: string, text: string, problems: Problem[]): boolean {
  if (text.trim() === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const at = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    const line = at === undefined ? '' : `:${text.slice(0, Number(at)).split('\n').length}`;
    problems.push({ file: `${file}${line}`, key: '', problem: 'not valid JSON' });
    return false;
  }
}

/** What each alias stands for: the last node before it with the anchor. Looking it up once keeps bombs harmless. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, YamlNode> {
  const anchors = new Map<string, YamlNode>();
  const targets = new Map<Alias, YamlNode>();
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
    } else if (isNode(node) && node.anchor !== undefined) {
      anchors.set(node.anchor, node);
    }
  });
  return targets;
}

class TreeBuilder {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #document: Document.Parsed;
  readonly #problems: Problem[];
  readonly #targets: ReadonlyMap<Alias, YamlNode>;
  #nodes = 0;
  #stopped = false;

  constructor(file: string, lines: LineCounter, document: Document.Parsed, problems: Problem[]) {
    this.#file = file;
    this.#lines = lines;
    this.#document = document;
    this.#targets = aliasTargets(document);
    this.#problems = problems;
  }

  build(): Node {
    return this.#node(this.#document.contents, '', 1, 0);
  }

  #node(value: unknown, key: string, near: number, depth: number): Node {
    const line = this.#lineOf(value) ?? near;
    const origin = { kind: 'file', file: this.#file, line } as const;
    const nothing: Node = { kind: 'scalar', value: null, origin };
    if (this.#stopped) return nothing;
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      this.#stopped = true;
      const problem = depth > MAX_DEPTH ? 'too deeply nested' : `more than ${MAX_NODES} values after aliases`;
      this.#problem(key, line, problem);
      return nothing;
    }
    if (isAlias(value)) {
      const target = this.#targets.get(value);
      if (target === undefined) this.#problem(key, line, `no anchor named "${value.source}" before this`);
      return target === undefined ? nothing : this.#node(target, key, line, depth + 1);
    }
    if (isMap(value)) {
      const entries = new Map<string, Node>();
      const firstLines = new Map<string, number>();
      for (const pair of value.items) {
        const name = this.#keyName(pair.key, key, line);
        if (name === undefined) continue;
        const child = key === '' ? shownKey(name) : `${key}.${shownKey(name)}`;
        const keyLine = this.#lineOf(pair.key) ?? line;
        const first = firstLines.get(name);
        if (first !== undefined) this.#problem(child, keyLine, `given twice, first in line ${first}`);
        firstLines.set(name, keyLine);
        entries.set(name, this.#node(pair.value, child, keyLine, depth + 1));
      }
      return { kind: 'map', entries, origin };
    }
    if (isSeq(value)) {
      const items = value.items.map((item, i) => this.#node(item, `${key}[${i}]`, line, depth + 1));
      return { kind: 'list', items, origin };
    }
    const scalar = isScalar(value) ? value.value : null;
    if (typeof scalar === 'string' || typeof scalar === 'number' || typeof scalar === 'boolean') {
      return { kind: 'scalar', value: scalar, origin };
    }
    if (scalar !== null) this.#problem(key, line, 'expected text, a number, true or false');
    return nothing;
  }

  #keyName(key: unknown, parent: string, near: number): string | undefined {
    const line = this.#lineOf(key) ?? near;
    const value = isScalar(key) ? key.value : undefined;
    const name = isScalar(key) && typeof value === 'number' ? (key.source ?? String(value)) : value;
    if (typeof name !== 'string' || name === '') {
      this.#problem(parent, line, 'a key is not a word');
      return undefined;
    }
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') {
      this.#problem(parent, line, `"${name}" is not allowed as a key`);
      return undefined;
    }
    return name;
  }

  #lineOf(value: unknown): number | undefined {
    const range = isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? value.range : undefined;
    return range ? this.#lines.linePos(range[0]).line : undefined;
  }

  #problem(key: string, line: number, problem: string): void {
    this.#problems.push({ file: `${this.#file}:${line}`, key, problem });
  }
}
