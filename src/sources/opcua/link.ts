import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  AttributeIds,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  UserTokenType,
  VariableIds,
  resolveNodeId,
} from 'node-opcua';
import type { ClientSession, UserIdentityInfo } from 'node-opcua';
import type { OpcuaSourceConfig } from '../../../config/types.ts';
import { atMost, every } from './outage.ts';
import type { Outage } from './outage.ts';

export const REQUEST_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2000;

/** One client; used once and thrown away. Its sessions may outlive it on the server. */
export interface Link {
  /** @throws Error if the server cannot be reached or refuses. */
  open(): Promise<ClientSession>;
  /** One more session over the same connection. */
  another(): Promise<ClientSession>;
  /** Continues a session of an earlier link, which the server still has. @throws Error if it has not. */
  reactivate(session: ClientSession): Promise<void>;
  /** Deletes a session and its subscriptions on the server. */
  discard(session: ClientSession): Promise<void>;
  /**
   * Disconnects, also in the middle of connecting. Sessions are deleted on the server with their subscriptions, except
   * for those in `kept`.
   */
  close(kept: ReadonlySet<ClientSession>): Promise<void>;
}

/**
 * node-opcua's own reconnection is off (`maxRetry: 0`): it repairs sessions and subscriptions piece by piece and has
 * states in which it neither recovers nor says so. Here any sign of trouble ends the whole link by `outage`.
 * Its keeping alive of sessions is off too: it would go on for a session that waits to be continued.
 */
export function createLink(config: OpcuaSourceConfig, outage: Outage): Link {
  const folder = usableFolder(config.certificatesFolder);
  const certificates = new OPCUACertificateManager({
    rootFolder: folder,
    automaticallyAcceptUnknownCertificate: false,
    disableFileWatchers: true,
  });
  const client = OPCUAClient.create({
    applicationName: 'rxtwin',
    clientName: `rxtwin-${config.id}`,
    clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 1000 },
    endpointMustExist: false,
    keepSessionAlive: false,
    keepPendingSessionsOnDisconnect: true,
    requestedSessionTimeout: config.sessionTimeoutMs,
    securityMode: MessageSecurityMode[config.securityMode],
    securityPolicy: SecurityPolicy[config.securityPolicy],
    transportTimeout: REQUEST_TIMEOUT_MS,
  });
  client.on('connection_lost', () => {
    outage.end('connection lost');
  });
  client.on('close', (error) => {
    outage.end(error ? `connection closed: ${error.message}` : 'connection closed');
  });

  const sessions = new Set<ClientSession>();
  const another = async (): Promise<ClientSession> => {
    const session = await outage.guard(
      client.createSession(identity(config)),
      2 * REQUEST_TIMEOUT_MS,
      'create session',
    );
    sessions.add(session);
    return session;
  };
  const discard = async (session: ClientSession): Promise<void> => {
    sessions.delete(session);
    await atMost(session.close(true), CLOSE_TIMEOUT_MS);
  };
  return {
    another,
    discard,
    open: async () => {
      try {
        await outage.guard(client.connect(config.endpoint), 2 * REQUEST_TIMEOUT_MS, 'connect');
        const session = await another();
        session.on('session_closed', (status) => {
          outage.end(`session closed: ${status.name}`);
        });
        keepAlive(session, config, outage);
        return session;
      } catch (error) {
        throw explain(error, folder);
      }
    },
    reactivate: async (session) => {
      await outage.guard(client.reactivateSession(session), REQUEST_TIMEOUT_MS, 'continue the session');
      sessions.add(session);
    },
    close: async (kept) => {
      await Promise.all([...sessions].filter((session) => !kept.has(session)).map(discard));
      await atMost(client.disconnect(), CLOSE_TIMEOUT_MS);
    },
  };
}

/** Reads the server's state now and then, so that a session without traffic is neither given up nor dead unnoticed. */
function keepAlive(session: ClientSession, config: OpcuaSourceConfig, outage: Outage): void {
  const periodMs = Math.floor(Math.max(500, Math.min(config.watchdogMs, session.timeout) / 3));
  const state = {
    nodeId: resolveNodeId(VariableIds.Server_ServerStatus_State),
    attributeId: AttributeIds.Value,
  };
  let asking = false;
  every(outage, periodMs, () => {
    if (asking) return;
    asking = true;
    outage
      .guard(session.read(state), REQUEST_TIMEOUT_MS, 'keep alive')
      .catch(() => {
        outage.end('the session does not answer');
      })
      .finally(() => {
        asking = false;
      });
  });
}

function usableFolder(configured: string): string {
  const folder = resolve(configured);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.R_OK | constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`certificatesFolder ${folder} cannot be used: ${reason}`, { cause: error });
  }
  return folder;
}

const trustedFolder = (folder: string): string => join(folder, 'trusted', 'certs');

/** Changes when certificates are trusted, or are not any more. */
export function trustStamp(config: OpcuaSourceConfig): number {
  return statSync(trustedFolder(resolve(config.certificatesFolder)), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function identity({ username, password }: OpcuaSourceConfig): UserIdentityInfo {
  if (username === '') return { type: UserTokenType.Anonymous };
  return { type: UserTokenType.UserName, userName: username, password };
}

function explain(error: unknown, folder: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  const firstLine = message.split('\n', 1)[0] ?? '';
  const hint = /BadCertificateUntrusted/.test(message)
    ? `; to trust the server, move its certificate from ${join(folder, 'rejected')} to ${trustedFolder(folder)}`
    : '';
  return new Error(`${firstLine.trim()}${hint}`, { cause: error });
}
