import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  UserTokenType,
} from 'node-opcua';
import type { ClientSession, UserIdentityInfo } from 'node-opcua';
import type { OpcuaSourceConfig } from '../../../config/types.ts';
import { atMost } from './outage.ts';
import type { Outage } from './outage.ts';

export const REQUEST_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2000;

/** One client with one session; used once and thrown away. */
export interface Link {
  /** @throws Error if the server cannot be reached or refuses. */
  open(): Promise<ClientSession>;
  /** Deletes subscriptions and session on the server and disconnects, also in the middle of connecting. */
  close(): Promise<void>;
}

/**
 * node-opcua's own reconnection is off (`maxRetry: 0`): it repairs sessions and subscriptions piece by piece and has
 * states in which it neither recovers nor says so. Here any sign of trouble ends the whole link by `outage`.
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
    keepSessionAlive: true,
    keepAliveInterval: Math.max(500, Math.floor(config.watchdogMs / 3)),
    requestedSessionTimeout: Math.max(60_000, 4 * config.watchdogMs),
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

  let session: ClientSession | null = null;
  const open = async (): Promise<ClientSession> => {
    try {
      await outage.guard(client.connect(config.endpoint), 2 * REQUEST_TIMEOUT_MS, 'connect');
      const opened = await outage.guard(
        client.createSession(identity(config)),
        2 * REQUEST_TIMEOUT_MS,
        'create session',
      );
      session = opened;
      opened.on('session_closed', (status) => {
        outage.end(`session closed: ${status.name}`);
      });
      opened.on('keepalive_failure', () => {
        outage.end('the session does not answer');
      });
      return opened;
    } catch (error) {
      throw explain(error, folder);
    }
  };
  const close = async (): Promise<void> => {
    if (session !== null) await atMost(session.close(true), CLOSE_TIMEOUT_MS);
    await atMost(client.disconnect(), CLOSE_TIMEOUT_MS);
  };
  return { open, close };
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

function identity({ username, password }: OpcuaSourceConfig): UserIdentityInfo {
  if (username === '') return { type: UserTokenType.Anonymous };
  return { type: UserTokenType.UserName, userName: username, password };
}

function explain(error: unknown, folder: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  const firstLine = message.split('\n', 1)[0] ?? '';
  const hint = /BadCertificateUntrusted/.test(message)
    ? `; to trust the server, move its certificate from ${join(folder, 'rejected')} to ${join(folder, 'trusted', 'certs')}`
    : '';
  return new Error(`${firstLine.trim()}${hint}`, { cause: error });
}
