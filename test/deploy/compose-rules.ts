// What a compose file of ours must keep: a structure that Compose takes, and rules about safety. Each rule gives sentences.
import { settingProblems, stopSeconds, type Environment } from './product-settings.js';

interface Service extends Record<string, unknown> {
  image?: string;
  command?: unknown;
  environment?: Record<string, unknown>;
  ports?: unknown[];
  volumes?: unknown[];
  networks?: unknown;
  depends_on?: Record<string, unknown>;
  configs?: { source: string; target: string }[];
}
export interface Compose extends Record<string, unknown> {
  services?: Record<string, Service>;
  networks?: Record<string, unknown>;
  volumes?: Record<string, unknown>;
  configs?: Record<string, { file: string }>;
}

const TOP_LEVEL = /^(name|services|networks|volumes|configs|x-[a-z-]+)$/;
const OF_A_SERVICE = [
  'image', 'command', 'environment', 'ports', 'volumes', 'tmpfs', 'read_only', 'cap_drop', 'security_opt', 'stop_grace_period', 'restart', 'shm_size', 'networks',
  'depends_on', 'healthcheck', 'configs',
];
const OURS = /^perennia:/;
const SECRET = /PASSWORD|SECRET|TOKEN|ACCESS_KEY|PRIVATE/;
/** Given from outside, with a refusal when it is not; never a default. */
const GIVEN = /\$\{[A-Z0-9_]+:\?[^}]+\}/;
/** Where a digest or a version is: `latest` and no tag change under one's feet. */
export const isPinned = (image: string): boolean => /^[^\s@]+:(?!latest$)[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image);

export function composeProblems(compose: Compose): string[] {
  const services = Object.entries(compose.services ?? {});
  return [
    ...Object.keys(compose).filter((key) => !TOP_LEVEL.test(key)).map((key) => `unknown section ${key}`),
    ...(services.length === 0 ? ['no services'] : []),
    ...services.flatMap(([name, service]) => [...structure(compose, service), ...secrets(service), ...reach(service), ...(OURS.test(service.image ?? '') ? ours(service) : [])].map((text) => `${name}: ${text}`)),
  ];
}

function structure(compose: Compose, service: Service): string[] {
  const problems = Object.keys(service).filter((key) => !OF_A_SERVICE.includes(key)).map((key) => `unknown key ${key}`);
  if (!isPinned(service.image ?? '')) problems.push(`image ${service.image} is not pinned by a tag`);
  for (const needed of Object.keys(service.depends_on ?? {})) if (!compose.services?.[needed]) problems.push(`depends on ${needed}, which is not there`);
  for (const network of [service.networks ?? []].flat()) if (!(String(network) in (compose.networks ?? {}))) problems.push(`network ${String(network)} is not declared`);
  for (const { source } of service.configs ?? []) if (!compose.configs?.[source]) problems.push(`config ${source} is not declared`);
  for (const volume of service.volumes ?? []) {
    const source = String(volume).split(':')[0] ?? '';
    if (/^[./~]/.test(source)) problems.push(`mounts ${source} of the machine`);
    else if (!(source in (compose.volumes ?? {}))) problems.push(`volume ${source} is not declared`);
  }
  return problems;
}

function secrets({ environment = {} }: Service): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    const text = String(value);
    if (/\$\{[A-Z0-9_]+(:?-|\})/.test(text)) return [`${name} has a default, or is empty where nothing is given`];
    if (SECRET.test(name) && !GIVEN.test(text)) return [`${name} is a secret in the file`];
    if (/:\/\/[^/@]*:(?!\$\{)[^/@]*@/.test(text)) return [`${name} holds a password`];
    return typeof value === 'object' ? [`${name} is no text`] : [];
  });
}

/** Nothing is published beyond the machine by a file that somebody only wants to try. */
const reach = ({ ports = [] }: Service): string[] => ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(String(port))).map((port) => `publishes ${String(port)} beyond this machine`);

/** On a volume, or in a store that every copy reaches. */
const keeps = ({ volumes = [] }: Service, { VNA_STORAGE_LANDING: landing = 'file' }: Environment): boolean => landing !== 'file' || volumes.some((volume) => String(volume).endsWith(':/data'));

function ours(service: Service): string[] {
  const environment = Object.fromEntries(Object.entries(service.environment ?? {}).map(([name, value]) => [name, String(value)])) as Environment;
  const wanted: [boolean, string][] = [
    [service['read_only'] === true, 'its file system can be written'],
    [[service['cap_drop']].flat().includes('ALL'), 'it keeps capabilities'],
    [[service['security_opt']].flat().includes('no-new-privileges:true'), 'it may gain privileges'],
    [[service['tmpfs']].flat().includes('/tmp'), '/tmp cannot be written'],
    [Number.parseInt(String(service['stop_grace_period']), 10) > stopSeconds(environment), 'it is killed before it has stopped in order'],
    [service.command !== undefined || keeps(service, environment), 'what it acknowledges is lost with its container: no volume at /data, and nothing lands in a store'],
    [service.command !== undefined || service['restart'] === 'unless-stopped', 'it does not come back'],
  ];
  return [...wanted.filter(([kept]) => !kept).map(([, sentence]) => sentence), ...settingProblems(environment)];
}
