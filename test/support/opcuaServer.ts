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
}

export interface TestServer {
  readonly server: OPCUAServer;
  readonly endpoint: string;
  readonly port: number;
  /** Adds ns=2;s=<name>, a scalar unless `isArray`. */
  add(name: string, dataType?: DataType, value?: unknown, isArray?: boolean): UAVariable;
  set(name: string, value: unknown, status?: StatusCode, at?: Date): void;
  remove(name: string): void;
  close(): Promise<void>;
}

/** A real OPC UA server on loopback whose nodes a test adds, sets and removes. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-opcua-'));
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
    set,
    remove: (name) => {
      addressSpace.deleteNode(node(name));
      nodes.delete(name);
    },
    close: async () => {
      await server.shutdown(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
