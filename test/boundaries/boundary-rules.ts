// The direction of dependencies as rules over the import graph (docs/architecture.md, "Libraries and direction"). Each rule gives
// sentences for what breaks it; an empty list is the only good answer.
import { builtinModules } from 'node:module';
import { resolveRelative, type Layer, type SourceFile, type WorkspacePackage } from './workspace-graph.js';

const MAY_DEPEND_ON: Readonly<Record<Layer, readonly Layer[]>> = {
  kernel: ['kernel'],
  platform: ['kernel', 'platform'],
  adapter: ['kernel', 'platform'],
  feature: ['kernel', 'platform'],
  service: ['kernel', 'platform', 'feature'],
  root: ['kernel', 'platform', 'feature', 'adapter', 'service', 'root'],
  test: ['kernel', 'platform', 'feature', 'adapter', 'service', 'root', 'test'],
};
/** Pure computation and the plumbing of streams; dicom-net is handed its sockets and needs their types. */
const KERNEL_BUILTINS = ['assert', 'buffer', 'crypto', 'events', 'stream', 'stream/promises', 'util', 'zlib'];
const KERNEL_SOCKETS = ['net', 'tls', 'timers'];
const FORBIDDEN_PACKAGES: Readonly<Partial<Record<Layer, RegExp>>> = {
  kernel: /^(@nestjs\/|typeorm|pg$|kafkajs|@aws-sdk\/|@smithy\/|@opentelemetry\/|fastify|pino|prom-client|commander)/,
  platform: /^(kafkajs|@aws-sdk\/|@smithy\/|@opentelemetry\/|fastify|commander)/,
  adapter: /^(@nestjs\/|fastify|commander)/,
  feature: /^(kafkajs|@aws-sdk\/|@smithy\/|@opentelemetry\/|fastify|commander)/,
  service: /^(kafkajs|@aws-sdk\/|@smithy\/|@opentelemetry\/|commander)/,
};
/** The environment is read where configuration is loaded and nowhere else; PATH, handed on to a child, is no configuration. */
const READS_ENVIRONMENT = /\bprocess\.env\b(?!\['PATH'\])/;
const MAY_READ_ENVIRONMENT: readonly Layer[] = ['platform', 'root', 'test'];

const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);

type Visit = (file: SourceFile, specifier: string, owner: WorkspacePackage, layer: Layer) => string | undefined;

export function violations(packages: readonly WorkspacePackage[], sharedDependencies: ReadonlySet<string>): string[] {
  const byName = new Map(packages.map((each) => [each.name, each]));
  const visits: Visit[] = [layerRule(byName), deepImportRule(byName), builtinRule, foreignPackageRule, declaredRule(sharedDependencies)];
  return [...packages.flatMap(tagRule), ...cycles(packages, byName), ...packages.flatMap((owner) => visitImports(owner, visits)), ...packages.flatMap(textRules)];
}

function visitImports(owner: WorkspacePackage, visits: readonly Visit[]): string[] {
  return owner.files.flatMap((file) => {
    const layer = file.isTest ? 'test' : (owner.layers[0] ?? 'test');
    return file.imports.flatMap((specifier) => visits.map((visit) => visit(file, specifier, owner, layer)).filter((found) => found !== undefined));
  });
}

const tagRule = (each: WorkspacePackage): string[] =>
  each.layers.length === 1 && Object.hasOwn(MAY_DEPEND_ON, each.layers[0]!) ? [] : [`${each.folder}: needs exactly one known layer tag`];

const layerRule = (byName: ReadonlyMap<string, WorkspacePackage>): Visit => (file, specifier, owner, layer) => {
  const target = byName.get(packageOf(specifier));
  if (!target || target === owner) return undefined;
  const targetLayer = target.layers[0]!;
  return MAY_DEPEND_ON[layer].includes(targetLayer) ? undefined : `${file.path}: layer ${layer} must not import ${specifier} (layer ${targetLayer})`;
};

const deepImportRule = (byName: ReadonlyMap<string, WorkspacePackage>): Visit => (file, specifier, owner) => {
  if (specifier.startsWith('.')) {
    const target = resolveRelative(file, specifier);
    return target.startsWith(`${owner.folder}/`) ? undefined : `${file.path}: relative import leaves the package (${specifier})`;
  }
  const name = packageOf(specifier);
  const target = byName.get(name);
  return target && !target.exported.has(specifier) ? `${file.path}: deep import of ${specifier}` : undefined;
};

const builtinRule: Visit = (file, specifier, owner, layer) => {
  if (layer !== 'kernel' || !isBuiltin(specifier)) return undefined;
  const name = specifier.replace(/^node:/, '');
  const allowed = owner.name.endsWith('/dicom-net') ? [...KERNEL_BUILTINS, ...KERNEL_SOCKETS] : KERNEL_BUILTINS;
  return allowed.includes(name) ? undefined : `${file.path}: the kernel does no I/O (${specifier})`;
};

const foreignPackageRule: Visit = (file, specifier, _owner, layer) =>
  FORBIDDEN_PACKAGES[layer]?.test(specifier) ? `${file.path}: layer ${layer} must not import ${specifier}` : undefined;

/** What is imported is declared: by the package; tests may also use what the root declares and every package of the workspace. */
const declaredRule = (shared: ReadonlySet<string>): Visit => (file, specifier, owner) => {
  if (specifier.startsWith('.') || isBuiltin(specifier)) return undefined;
  const name = packageOf(specifier);
  if (name === owner.name || owner.declared.has(name) || (file.isTest && shared.has(name))) return undefined;
  return owner.layers[0] === 'test' && shared.has(name) ? undefined : `${file.path}: ${name} is not declared in ${owner.folder}/package.json`;
};

function textRules(owner: WorkspacePackage): string[] {
  return owner.files.filter((file) => !file.isTest).flatMap(({ path, text, imports }) => {
    const found: string[] = [];
    if (/\bshell:\s*true\b/.test(text)) found.push(`${path}: shell: true`);
    if (imports.some((each) => each.endsWith('child_process')) && /\bexec(Sync)?\b\s*[(,}]/.test(text)) found.push(`${path}: child_process.exec runs a shell`);
    if (READS_ENVIRONMENT.test(text) && !MAY_READ_ENVIRONMENT.includes(owner.layers[0]!)) found.push(`${path}: reads the environment`);
    return found;
  });
}

/** Cycles between packages over what their sources (not their tests) import. */
function cycles(packages: readonly WorkspacePackage[], byName: ReadonlyMap<string, WorkspacePackage>): string[] {
  const edges = new Map(packages.map((each) => [each.name, new Set(each.files.filter((file) => !file.isTest).flatMap((file) => file.imports.map(packageOf)))]));
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) found.push(`cycle: ${[...trail.slice(trail.indexOf(name)), name].join(' → ')}`);
    if (trail.includes(name) || done.has(name)) return;
    for (const next of edges.get(name) ?? []) if (next !== name && byName.has(next)) walk(next, [...trail, name]);
    done.add(name);
  };
  for (const each of packages) walk(each.name, []);
  return found;
}
