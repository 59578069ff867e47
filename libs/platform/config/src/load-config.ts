// The configuration of a process: defaults, below the file (vna.yaml or VNA_CONFIG), below the environment (VNA_…).
// A key that nobody declared stops the start with the nearest known one: a misspelt setting must never be a silent default.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArchiveError, ConfigurationError } from '@perennia/errors';
import { parse as parseYaml } from 'yaml';
import type { ConfigSection } from './define-config.js';
import { EffectiveConfig, type EffectiveValue } from './effective-config.js';
import { nearestName } from './nearest-name.js';
import { optionsOf, type ConfigOption } from './option-list.js';

/** Variables of finding the file and of tests; everything else beginning with VNA_ must be an option. */
const OTHER_VARIABLES = ['VNA_CONFIG', 'VNA_FAIL', 'VNA_FAIL_FILE', 'VNA_MUTANT', 'VNA_REQUIRE_BACKENDS'];
const isOtherVariable = (name: string): boolean => OTHER_VARIABLES.includes(name) || name.startsWith('VNA_TEST_');
const DEFAULT_FILE = 'vna.yaml';

export interface ConfigSources {
  environment: Readonly<Record<string, string | undefined>>;
  /** Folder in which `vna.yaml` is looked for. */
  folder: string;
}

interface Found {
  raw: unknown;
  origin: string;
}

/** @throws ConfigurationError with one sentence for the first thing that is wrong */
export function loadConfig(sections: readonly ConfigSection[], sources: ConfigSources): EffectiveConfig {
  const options = optionsOf(sections);
  const file = readFile(sources);
  const fromFile = collectFromFile(file.content, file.name, sections, options);
  const fromEnvironment = collectFromEnvironment(sources.environment, options);
  return new EffectiveConfig(options.map((option) => effective(option, fromEnvironment.get(option.path) ?? fromFile.get(option.path))));
}

function effective(option: ConfigOption, found: Found | undefined): EffectiveValue {
  if (!found) return { option, value: option.defaultValue, origin: 'default' };
  const result = option.schema.safeParse(found.raw);
  if (result.success) return { option, value: result.data, origin: found.origin };
  const shown = option.secret ? 'the given value' : JSON.stringify(found.raw);
  throw new ConfigurationError(`${option.path} (from ${found.origin}): ${shown} is not allowed; ${result.error.issues[0]!.message}`, {
    remedy: `Give ${option.bound ?? option.unit ?? 'an allowed value'}; see docs/configuration.md`,
  });
}

function readFile(sources: ConfigSources): { name: string; content: Record<string, unknown> } {
  const named = sources.environment['VNA_CONFIG'];
  const name = resolve(sources.folder, named ?? DEFAULT_FILE);
  try {
    const content: unknown = parseYaml(readFileSync(name, 'utf8')) ?? {};
    if (typeof content !== 'object' || Array.isArray(content)) throw new ConfigurationError(`${name} is no list of settings`);
    return { name, content: content as Record<string, unknown> };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && named === undefined) return { name, content: {} };
    if (error instanceof ArchiveError) throw error;
    throw new ConfigurationError(`The configuration file ${name} cannot be read: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}

function collectFromFile(
  content: Record<string, unknown>,
  file: string,
  sections: readonly ConfigSection[],
  options: readonly ConfigOption[],
): Map<string, Found> {
  const found = new Map<string, Found>();
  const names = new Set(sections.map((section) => section.section).filter(Boolean));
  const paths = options.map((option) => option.path);
  for (const [key, value] of Object.entries(content)) {
    const isSection = names.has(key) && typeof value === 'object' && value !== null;
    const entries = isSection ? Object.entries(value).map(([inner, each]) => [`${key}.${inner}`, each] as const) : [[key, value] as const];
    for (const [path, raw] of entries) {
      if (!paths.includes(path)) throw unknownKey(path, file, [...paths, ...names]);
      found.set(path, { raw, origin: file });
    }
  }
  return found;
}

function collectFromEnvironment(environment: ConfigSources['environment'], options: readonly ConfigOption[]): Map<string, Found> {
  const byVariable = new Map(options.map((option) => [option.variable, option]));
  const found = new Map<string, Found>();
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('VNA_') || text === undefined || isOtherVariable(name)) continue;
    const option = byVariable.get(name);
    if (!option) throw unknownKey(name, 'the environment', [...byVariable.keys(), ...OTHER_VARIABLES]);
    found.set(option.path, { raw: fromText(option, text), origin: `environment ${name}` });
  }
  return found;
}

/** A text is taken as it is where the option allows it, else as the YAML it spells: `11112`, `true`, `[a, b]`. */
function fromText(option: ConfigOption, text: string): unknown {
  return option.schema.safeParse(text).success ? text : parseYaml(text);
}

function unknownKey(name: string, where: string, known: readonly string[]): ConfigurationError {
  const near = nearestName(name, known);
  return new ConfigurationError(`Unknown configuration key "${name}" in ${where}${near ? `; did you mean "${near}"?` : ''}`, {
    remedy: 'Correct or remove it; docs/configuration.md lists every key',
  });
}
