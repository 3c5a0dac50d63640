import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttributeIds, OPCUACertificateManager, OPCUAClient } from 'node-opcua';

/** Numbers that nodes of a server show. */
export async function readNode(endpoint: string, nodeIds: readonly string[]): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rxtwin-test-pki-'));
  const client = OPCUAClient.create({
    endpointMustExist: false,
    clientCertificateManager: new OPCUACertificateManager({ rootFolder: folder, disableFileWatchers: true }),
    connectionStrategy: { maxRetry: 0 },
  });
  await client.connect(endpoint);
  const session = await client.createSession();
  try {
    const nodes = nodeIds.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
    return (await session.read(nodes)).map(({ value }) => Number(value.value));
  } finally {
    await session.close();
    await client.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}
