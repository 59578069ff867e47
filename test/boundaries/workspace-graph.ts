// Reads a workspace as it stands on disk: packages with their layer, source files with what they import. No compiler needed:
// import specifiers are texts, and the few places where they may stand are known.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export type Layer = 'kernel' | 'platform' | 'adapter' | 'feature' | 'service' | 'root' | 'test';

export interface SourceFile {
  path: string;
  text: string;
  /** Tests beside the code count as layer test. */
  isTest: boolean;
  imports: string[];
}
export interface WorkspacePackage {
  name: string;
  folder: string;
  layers: Layer[];
  declared: ReadonlySet<string>;
  /** Specifiers its `exports` offer; just its name when it has none. */
  exported: ReadonlySet<string>;
  files: SourceFile[];
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g;
/** Tests and benchmarks beside the code. */
const TEST_FILE = /\.(spec|int-spec|test)\.ts$|\/bench\/|\/test-parts\//;

/** Without comments: an import that is only talked about is none. Strings keep their slashes because `://` is left alone. */
export const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

function sourceFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['dist', 'node_modules'].includes(entry.name) ? [] : sourceFiles(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function readSource(path: string, root: string): SourceFile {
  const text = withoutComments(readFileSync(path, 'utf8'));
  return { path: relative(root, path), text, isTest: TEST_FILE.test(path), imports: [...text.matchAll(IMPORT)].map((match) => match[2]!) };
}

function readPackage(folder: string, root: string): WorkspacePackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    exports?: Record<string, unknown>;
    nx?: { tags?: string[] };
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return {
    name: manifest.name,
    folder: relative(root, folder),
    layers: (manifest.nx?.tags ?? []).filter((tag) => tag.startsWith('layer:')).map((tag) => tag.slice('layer:'.length) as Layer),
    declared: new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })),
    exported: new Set(Object.keys(manifest.exports ?? { '.': null }).map((path) => `${manifest.name}${path.slice(1)}`)),
    files: sourceFiles(folder).map((path) => readSource(path, root)),
  };
}

/** Packages below the folders named by the root's `workspaces` (`libs/kernel/*`, `libs/testing`). */
export function readWorkspace(root: string): WorkspacePackage[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
  const folders = workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [join(root, pattern)];
    const parent = join(root, pattern.slice(0, -2));
    return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
  });
  return folders.filter((folder) => existsSync(join(folder, 'package.json'))).map((folder) => readPackage(folder, root));
}

/** Where a relative import leads, from the workspace's root. */
export const resolveRelative = (file: SourceFile, specifier: string): string => relative('/', resolve('/', dirname(file.path), specifier));
