import type { SourceConfig } from '../../config/types.ts';
import type { Source, SourceContext } from './source.ts';

/** Opens one configured source. Its module, and the client library behind it, is loaded only when it is used. */
export async function createSource(config: SourceConfig, context: SourceContext): Promise<Source> {
  switch (config.type) {
    case 'mqtt':
      return (await import('./mqtt/source.ts')).createMqttSource(config, context);
    case 'opcua':
      return (await import('./opcua/opcuaSource.ts')).createOpcuaSource(config, context);
    case 'replay':
      return (await import('./replay/source.ts')).createReplaySource(config, context);
    case 'simulator':
      return (await import('./simulator/simulatorSource.ts')).createSimulatorSource(config, context);
  }
}
