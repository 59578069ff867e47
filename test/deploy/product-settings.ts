// What the product itself says to an environment: deployments are held to its own configuration, not to a second list.
import { ArchiveConfig, assertKnownPeers, configSections, listenersOf } from '@perennia/all-in-one';
import { loadConfig, optionsOf } from '@perennia/config';

/** Names that are written down in deployments already and arrive in the product with Kafka. */
const ARRIVING = [
  'VNA_KAFKA_BROKERS', 'VNA_KAFKA_USERNAME', 'VNA_KAFKA_PASSWORD', 'VNA_KAFKA_MECHANISM', 'VNA_KAFKA_TLS', 'VNA_KAFKA_CA_FILE',
];
const KNOWN = new Set([...optionsOf(configSections).map(({ variable }) => variable), ...ARRIVING]);

export type Environment = Record<string, string>;

/** @returns sentences about what the product would refuse at start; none is the only good answer */
export function settingProblems(environment: Environment): string[] {
  const own = Object.entries(environment).filter(([name]) => name.startsWith('VNA_'));
  const unknown = own.map(([name]) => name).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0) return unknown.map((name) => `${name} is no setting of the product`);
  try {
    const today = Object.fromEntries(own.filter(([name]) => !ARRIVING.includes(name)));
    const config = loadConfig(configSections, { environment: today, folder: '/nonexistent' });
    const { roles, unsafeListen } = config.get(ArchiveConfig);
    assertKnownPeers(listenersOf(config, roles), unsafeListen);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
