import { readFileSync } from 'node:fs';
import type { IClientOptions } from 'mqtt';
import type { MqttSourceConfig } from '../../../config/types.ts';

const PROTOCOLS = ['mqtt:', 'mqtts:', 'tcp:', 'ssl:', 'ws:', 'wss:'];
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * Where the source connects to, for people: without the credentials that a URL may hold.
 *
 * @throws RangeError where the URL is none of MQTT's.
 */
export function displayUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !PROTOCOLS.includes(parsed.protocol) || parsed.hostname === '') {
    // The URL is not shown, because the part that is wrong may be the password.
    throw new RangeError('url: not valid, expected e.g. mqtt://127.0.0.1:1883 or mqtts://broker.example');
  }
  return `${parsed.protocol}//${parsed.host}`;
}

/** Options of one connection. Certificates are read anew each time, so that renewed ones need no restart. */
export function clientOptions(config: MqttSourceConfig): IClientOptions {
  const v5 = config.protocolVersion === 5;
  return {
    protocolVersion: config.protocolVersion,
    clientId: config.clientId,
    clean: config.cleanSession,
    keepalive: config.keepAliveS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(config.username === '' ? {} : { username: config.username }),
    ...(config.password === '' ? {} : { password: config.password }),
    ...(config.will === null ? {} : { will: config.will }),
    ...(v5
      ? {
          properties: {
            receiveMaximum: config.receiveMaximum,
            sessionExpiryInterval: config.cleanSession ? 0 : config.sessionExpiryS,
          },
        }
      : {}),
    ...tlsOptions(config.tls),
  };
}

function tlsOptions(tls: MqttSourceConfig['tls']): IClientOptions {
  return {
    rejectUnauthorized: tls.rejectUnauthorized,
    ...(tls.caFile === '' ? {} : { ca: readFileSync(tls.caFile) }),
    ...(tls.certFile === '' ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile === '' ? {} : { key: readFileSync(tls.keyFile) }),
  };
}

/** The filters to subscribe to, by configured topic. */
export function topicFilters(config: MqttSourceConfig): ReadonlyMap<string, string> {
  const shared = config.sharedGroup === '' ? '' : `$share/${config.sharedGroup}/`;
  return new Map(config.topics.map((topic) => [topic, shared + topic]));
}
