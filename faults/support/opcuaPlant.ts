import { StatusCodes } from 'node-opcua';
import { startTestServer } from '../../test/support/opcuaServer.ts';
import type { TestServer } from '../../test/support/opcuaServer.ts';

const HISTORY = 100_000;

/**
 * A plant that never stands still, behind an OPC UA server that keeps a history. Each node shows 1, 2, 3 …, each with a
 * source time of its own; what is measured while the server is away stands in its history when it is back.
 */
export class OpcuaPlant {
  readonly nodes: readonly string[];
  readonly #everyMs: number;
  #server: TestServer | null = null;
  #times: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #missing = new Set<string>();

  constructor(nodes: readonly string[], everyMs: number) {
    this.nodes = nodes;
    this.#everyMs = everyMs;
  }

  /** Last number shown. */
  get last(): number {
    return this.#times.length;
  }

  get server(): TestServer {
    if (this.#server === null) throw new Error('the OPC UA server is not running');
    return this.#server;
  }

  /** On a free port with 0; certificate and key stay in the folder. */
  async startServer(port: number, pkiFolder: string): Promise<TestServer> {
    const server = await startTestServer({ port, pkiFolder });
    for (const node of this.nodes) this.#add(server, node);
    this.#server = server;
    return server;
  }

  async stopServer(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.close();
  }

  remove(node: string): void {
    this.server.remove(node);
    this.#missing.add(node);
  }

  addAgain(node: string): void {
    this.#add(this.server, node);
    this.#missing.delete(node);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#times.push(Math.max(Date.now(), (this.#times.at(-1) ?? 0) + 1));
      const server = this.#server;
      if (server === null) return;
      for (const node of this.nodes) this.#show(server, node, this.last);
    }, this.#everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.stopServer();
  }

  stand(): void {
    clearInterval(this.#timer);
  }

  #add(server: TestServer, node: string): void {
    server.addSeries(node, HISTORY);
    this.#missing.delete(node);
    for (let n = 1; n <= this.last; n += 1) this.#show(server, node, n);
  }

  #show(server: TestServer, node: string, n: number): void {
    const at = this.#times[n - 1];
    if (at !== undefined && !this.#missing.has(node)) server.set(node, n, StatusCodes.Good, new Date(at));
  }
}
