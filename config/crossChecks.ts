import { accessSync, constants } from 'node:fs';
import { shown } from './problems.ts';
import type { Report } from './problems.ts';
import { DEFAULT_ORIGIN } from './tree.ts';
import type { Node, Origin } from './tree.ts';
import type { Config, SourceConfig } from './types.ts';

/** Checks between parts of a configuration whose parts by themselves are right. */
export function crossCheck(config: Config, root: Node | undefined, report: Report): void {
  const complain = (path: readonly (string | number)[], problem: string): void => {
    const key = path.reduce<string>(
      (k, part) => (typeof part === 'number' ? `${k}[${part}]` : k === '' ? part : `${k}.${part}`),
      '',
    );
    report.problem(key, originAt(root, path), problem);
  };
  checkSources(config.sources, complain);
  checkFiles(config.sources, complain);
  checkListed(config, complain);
  checkPorts(config, complain);
  checkInflux(config.influx, complain);
}

type Complain = (path: readonly (string | number)[], problem: string) => void;

function checkInflux({ url, org, bucket, token, retry }: Config['influx'], complain: Complain): void {
  const unset = Object.entries({ token, org, bucket }).filter(([, value]) => value === '');
  for (const [key] of url === '' ? [] : unset)
    complain(['influx', key], 'missing, expected one, as influx.url is set');
  if (retry.minMs > retry.maxMs) {
    const problem = `${retry.minMs} is not valid, expected at most maxMs (${retry.maxMs})`;
    complain(['influx', 'retry', 'minMs'], problem);
  }
}

/** The nearest origin that is known on the way to `path`. */
function originAt(root: Node | undefined, path: readonly (string | number)[]): Origin {
  let node = root;
  let origin: Origin = root?.origin ?? DEFAULT_ORIGIN;
  for (const part of path) {
    if (node?.kind === 'map' && typeof part === 'string') node = node.entries.get(part);
    else if (node?.kind === 'list' && typeof part === 'number') node = node.items[part];
    else node = undefined;
    if (node === undefined) return origin;
    origin = node.origin;
  }
  return origin;
}

/** Files that a source will read are there when it is configured. */
function checkFiles(sources: readonly SourceConfig[], complain: Complain): void {
  const check = (path: readonly (string | number)[], file: string): void => {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      complain(path, `${shown(file)} is not valid, expected a file that exists and can be read`);
    }
  };
  sources.forEach((source, i) => {
    if (source.type === 'replay') source.files.forEach((file, k) => check(['sources', i, 'files', k], file));
    if (source.type !== 'mqtt') return;
    for (const key of ['caFile', 'certFile', 'keyFile'] as const) {
      if (source.tls[key] !== '') check(['sources', i, 'tls', key], source.tls[key]);
    }
  });
}

function checkSources(sources: readonly SourceConfig[], complain: Complain): void {
  sources.forEach((source, i) => {
    const earlier = sources.slice(0, i);
    const twin = earlier.findIndex((other) => other.id === source.id);
    if (twin >= 0)
      complain(
        ['sources', i, 'id'],
        `"${source.id}" is already the id of sources[${twin}], expected another`,
      );
    if (source.type !== 'mqtt' || source.clientId === '') return;
    const rival = earlier.find(
      (other) =>
        other.type === 'mqtt' && other.clientId === source.clientId && sameBroker(other.url, source.url),
    );
    if (rival === undefined) return;
    const problem = `"${source.clientId}" is already the client id of source ${rival.id} at the same broker, which would disconnect one for the other`;
    complain(['sources', i, 'clientId'], problem);
  });
}

const sameBroker = (a: string, b: string): boolean => URL.parse(a)?.host === URL.parse(b)?.host;

/** With `unknownAssets: reject` a source of something unlisted would only make dead letters. */
function checkListed(config: Config, complain: Complain): void {
  if (config.unknownAssets !== 'reject') return;
  config.sources.forEach((source, i) => {
    if (source.type === 'opcua') {
      for (const key of Object.keys(source.nodes)) {
        const [asset = '', sensor = ''] = key.split('/');
        if (config.assets[asset]?.sensors[sensor] !== undefined) continue;
        complain(['sources', i, 'nodes', key], 'not listed under assets, and unknownAssets is reject');
      }
    }
    if (source.type === 'simulator') {
      for (const asset of source.assets.filter((name) => config.assets[name] === undefined)) {
        complain(
          ['sources', i, 'assets'],
          `${asset} is not listed under assets, and unknownAssets is reject`,
        );
      }
    }
  });
}

function checkPorts({ api, plant }: Config, complain: Complain): void {
  const taken = new Map([[api.port, 'api.port']]);
  for (const key of ['brokerPort', 'opcuaPort'] as const) {
    const port = plant?.[key] ?? 0;
    const owner = port === 0 ? undefined : taken.get(port);
    if (owner !== undefined) complain(['plant', key], `${port} is already ${owner}, expected another port`);
    taken.set(port, `plant.${key}`);
  }
}
