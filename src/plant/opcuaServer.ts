import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DataType,
  OPCUACertificateManager,
  OPCUAServer,
  RegisterServerMethod,
  StatusCodes,
} from 'node-opcua';
import type { StatusCode, UAVariable } from 'node-opcua';
import { browseNameOf } from './feed.ts';
import type { PlantSample } from './plant.ts';

export interface PlantServerOptions {
  /** 0 = a free one. */
  readonly port: number;
  readonly host: string;
  readonly assets: readonly string[];
  /** Of each asset; `setValue`: with a node for the set value, too. */
  readonly sensors: readonly { readonly sensor: string; readonly setValue: boolean }[];
  /** Folder for the server's certificate; by default a private one under the system's temporary folder. */
  readonly certificatesFolder?: string;
}

export interface PlantServer {
  readonly endpoint: string;
  readonly port: number;
  /** Process values from the samples and set values, with the plant's times and statuses. */
  update(samples: readonly PlantSample[], setValues: readonly SetValues[]): void;
  /** Also removes the private certificates folder. */
  close(): Promise<void>;
}

/** Set values of one asset, by sensor. */
export interface SetValues {
  readonly asset: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly values: Readonly<Record<string, number>>;
}

const STATUS: Readonly<Record<PlantSample['quality'], StatusCode>> = {
  Good: StatusCodes.Good,
  Uncertain: StatusCodes.UncertainSensorNotAccurate,
  Bad: StatusCodes.BadSensorFailure,
};

/**
 * Serves the plant over OPC UA: `ns=2;s=Reactor.<asset>.<Sensor>.<PV|SV>`, Double, read-only, with the
 * sensor's name as in `FlowRate` for `flow_rate`.
 *
 * @throws Error if the port is taken or the certificates folder cannot be written.
 */
export async function startPlantServer(options: PlantServerOptions): Promise<PlantServer> {
  const folder = options.certificatesFolder ?? privateFolder();
  const cleanUp = (): void => {
    if (options.certificatesFolder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  const certificates = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  const server = new OPCUAServer({
    port: options.port,
    host: options.host,
    hostname: options.host,
    serverInfo: { applicationName: { text: 'rxtwin plant' } },
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    registerServerMethod: RegisterServerMethod.HIDDEN,
  });
  let nodes: ReadonlyMap<string, UAVariable>;
  try {
    await server.initialize();
    nodes = addNodes(server, options);
    await server.start();
  } catch (error) {
    await server.shutdown().catch(() => undefined);
    cleanUp();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`plant's OPC UA server on ${options.host}:${options.port}: ${reason}`, { cause: error });
  }
  const port = server.endpoints[0]?.port ?? options.port;

  let closed: Promise<void> | null = null;
  const shutdown = async (): Promise<void> => {
    await server.shutdown(0);
    cleanUp();
  };

  return {
    endpoint: `opc.tcp://${options.host}:${port}`,
    port,
    update: (samples, setValues) => {
      for (const sample of samples) setProcessValue(nodes, sample);
      for (const values of setValues) setSetValues(nodes, values);
    },
    close: () => (closed ??= shutdown()),
  };
}

/** The temporary folder, or ./data where that cannot be written, as in a container with a read-only file system. */
function privateFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'rxtwin-plant-'));
  } catch {
    mkdirSync('data', { recursive: true });
    return mkdtempSync(join('data', 'plant-pki-'));
  }
}

function addNodes(
  server: OPCUAServer,
  { assets, sensors }: Pick<PlantServerOptions, 'assets' | 'sensors'>,
): ReadonlyMap<string, UAVariable> {
  const addressSpace = server.engine.addressSpace;
  if (addressSpace === null) throw new Error('the address space could not be loaded');
  const namespace = addressSpace.registerNamespace('urn:rxtwin:plant');
  const nodes = new Map<string, UAVariable>();
  for (const asset of assets) {
    const reactor = namespace.addObject({
      organizedBy: addressSpace.rootFolder.objects,
      browseName: asset,
      nodeId: `s=Reactor.${asset}`,
    });
    for (const { sensor, setValue } of sensors) {
      const browseName = browseNameOf(sensor);
      const nodeId = `s=Reactor.${asset}.${browseName}`;
      const quantity = namespace.addObject({ componentOf: reactor, browseName, nodeId });
      for (const kind of setValue ? ['PV', 'SV'] : ['PV']) {
        const node = namespace.addVariable({
          componentOf: quantity,
          browseName: kind,
          nodeId: `${nodeId}.${kind}`,
          dataType: DataType.Double,
          accessLevel: 'CurrentRead',
          userAccessLevel: 'CurrentRead',
          minimumSamplingInterval: 50,
        });
        nodes.set(`${asset}/${sensor}/${kind}`, node);
      }
    }
  }
  return nodes;
}

function setProcessValue(nodes: ReadonlyMap<string, UAVariable>, sample: PlantSample): void {
  const node = nodes.get(`${sample.asset}/${sample.sensor}/PV`);
  const at = new Date(sample.timestamp);
  if (sample.value === null) {
    node?.setValueFromSource({ dataType: DataType.Null }, StatusCodes.BadNoData, at);
  } else {
    node?.setValueFromSource({ dataType: DataType.Double, value: sample.value }, STATUS[sample.quality], at);
  }
}

function setSetValues(nodes: ReadonlyMap<string, UAVariable>, { asset, timestamp, values }: SetValues): void {
  const at = new Date(timestamp);
  for (const [sensor, value] of Object.entries(values)) {
    const node = nodes.get(`${asset}/${sensor}/SV`);
    node?.setValueFromSource({ dataType: DataType.Double, value }, StatusCodes.Good, at);
  }
}
