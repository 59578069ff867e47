// What the product itself says to an environment: deployments are held to its own configuration, not to a second list.
import { ArchiveConfig, assertKnownPeers, configSections, listenersOf } from '@perennia/all-in-one';
import { loadConfig, optionsOf, type EffectiveConfig } from '@perennia/config';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { RetrieveConfig } from '@perennia/retrieve/retrieve.config';

const KNOWN = new Set(optionsOf(configSections).map(({ variable }) => variable));
/** What an ordered stop takes besides the grace of open associations, at most (the supervisor's own deadlines). */
const STOP_BESIDES_GRACE_MS = 5_500;

export type Environment = Record<string, string>;

const ofProduct = (environment: Environment): Environment => Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('VNA_')));
const configOf = (environment: Environment): EffectiveConfig => loadConfig(configSections, { environment: ofProduct(environment), folder: '/nonexistent' });

/** @returns sentences about what the product would refuse at start; none is the only good answer */
export function settingProblems(environment: Environment): string[] {
  const unknown = Object.keys(ofProduct(environment)).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0) return unknown.map((name) => `${name} is no setting of the product`);
  try {
    const config = configOf(environment);
    const { roles, unsafeListen } = config.get(ArchiveConfig);
    assertKnownPeers(listenersOf(config, roles), unsafeListen);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Longest that a process with this environment needs to stop in order; of one that would not start, nothing. */
export function stopSeconds(environment: Environment): number {
  if (settingProblems(environment).length > 0) return 0;
  const config = configOf(environment);
  return (Math.max(config.get(IngestConfig).shutdownGrace, config.get(RetrieveConfig).shutdownGrace) + STOP_BESIDES_GRACE_MS) / 1000;
}
