import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DataType,
  OPCUACertificateManager,
  OPCUAServer,
  RegisterServerMethod,
  StatusCodes,
  VariantArrayType,
} from 'node-opcua';
import type { Namespace, StatusCode, UAVariable } from 'node-opcua';

export interface TestServerOptions {
  /** 0 = a free one. */
  readonly port?: number;
  readonly maxNodesPerRead?: number;
  readonly maxMonitoredItemsPerCall?: number;
  /** User name -> password; anonymous users are refused where given. */
  readonly users?: Readonly<Record<string, string>>;
  /** Folder of its certificate, kept afterwards, so that a server that starts again has the same one. */
  readonly pkiFolder?: string;
}

export interface TestServer {
  readonly server: OPCUAServer;
  readonly endpoint: string;
  readonly port: number;
  /** Of its certificate, in PEM. */
  readonly certificateFile: string;
  /** Adds ns=2;s=<name>, a scalar unless `isArray`. */
  add(name: string, dataType?: DataType, value?: unknown, isArray?: boolean): UAVariable;
  /** Adds a Double of which every write is reported (sampling interval 0), with a history of so many values. */
  addSeries(name: string, historySize?: number): UAVariable;
  set(name: string, value: unknown, status?: StatusCode, at?: Date): void;
  remove(name: string): void;
  close(): Promise<void>;
}

/** A real OPC UA server on loopback whose nodes a test adds, sets and removes. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = options.pkiFolder ?? mkdtempSync(join(tmpdir(), 'rxtwin-test-opcua-'));
  const certificates = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  const { users } = options;
  const server = new OPCUAServer({
    port: options.port ?? 0,
    host: '127.0.0.1',
    hostname: '127.0.0.1',
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    registerServerMethod: RegisterServerMethod.HIDDEN,
    allowAnonymous: users === undefined,
    userManager: { isValidUser: (name: string, password: string) => users?.[name] === password },
    serverCapabilities: {
      // Every write may be reported, not one in 50 ms.
      minSupportedSampleRate: 0,
      operationLimits: {
        maxNodesPerRead: options.maxNodesPerRead ?? 1000,
        maxMonitoredItemsPerCall: options.maxMonitoredItemsPerCall ?? 1000,
      },
    },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  if (addressSpace === null) throw new Error('no address space');
  const namespace: Namespace = addressSpace.registerNamespace('urn:rxtwin:test');
  await server.start();
  const port = server.endpoints[0]!.port;
  const nodes = new Map<string, UAVariable>();
  const types = new Map<string, { dataType: DataType; arrayType: VariantArrayType }>();

  const node = (name: string): UAVariable => {
    const found = nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  const set: TestServer['set'] = (name, value, status = StatusCodes.Good, at = new Date()) => {
    node(name).setValueFromSource({ ...types.get(name)!, value }, status, at);
  };
  return {
    server,
    certificateFile: server.certificateFile,
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    port,
    add: (name, dataType = DataType.Double, value: unknown = 0, isArray = false) => {
      const variable = namespace.addVariable({
        organizedBy: addressSpace.rootFolder.objects,
        browseName: name,
        nodeId: `s=${name}`,
        dataType,
        valueRank: isArray ? 1 : -1,
        minimumSamplingInterval: 20,
      });
      nodes.set(name, variable);
      types.set(name, { dataType, arrayType: isArray ? VariantArrayType.Array : VariantArrayType.Scalar });
      set(name, value);
      return variable;
    },
    addSeries: (name, historySize = 0) => {
      const variable = namespace.addVariable({
        organizedBy: addressSpace.rootFolder.objects,
        browseName: name,
        nodeId: `s=${name}`,
        dataType: DataType.Double,
        minimumSamplingInterval: 0,
      });
      nodes.set(name, variable);
      types.set(name, { dataType: DataType.Double, arrayType: VariantArrayType.Scalar });
      if (historySize > 0) {
        addressSpace.installHistoricalDataNode(variable, { maxOnlineValues: historySize });
      }
      return variable;
    },
    set,
    remove: (name) => {
      addressSpace.deleteNode(node(name));
      nodes.delete(name);
    },
    close: async () => {
      await server.shutdown(0);
      if (options.pkiFolder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
