import { resolveNodeId } from 'node-opcua';
import type { OpcuaSourceConfig } from '../../../config/types.ts';

/** One mapped node: where its values go. */
export interface MappedNode {
  /** `asset/sensor`, as configured. */
  readonly key: string;
  readonly asset: string;
  readonly sensor: string;
  readonly nodeId: string;
  /** '' = the sensor's own. */
  readonly unit: string;
}

/** Problem of each node that cannot be used, by `asset/sensor`. */
export type Problems = Map<string, string>;

/** The configured nodes; those whose id or name is not one become problems instead, as nothing could mend them. */
export function mapNodes(
  config: Pick<OpcuaSourceConfig, 'nodes' | 'units'>,
  problems: Problems,
): readonly MappedNode[] {
  const nodes: MappedNode[] = [];
  for (const [key, nodeId] of Object.entries(config.nodes)) {
    const slash = key.indexOf('/');
    const asset = key.slice(0, slash);
    const sensor = key.slice(slash + 1);
    if (slash < 1 || sensor === '') {
      problems.set(key, 'not of the form asset/sensor');
    } else if (isNodeId(nodeId)) {
      nodes.push({ key, asset, sensor, nodeId, unit: config.units[key] ?? '' });
    } else {
      problems.set(key, `${nodeId} is not a node id, expected e.g. ns=2;s=Reactor.R101.Temperature.PV`);
    }
  }
  return nodes;
}

function isNodeId(text: string): boolean {
  try {
    resolveNodeId(text);
    return true;
  } catch {
    return false;
  }
}
