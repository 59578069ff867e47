import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { violations } from './boundary-rules.js';
import { readWorkspace } from './workspace-graph.js';

const root = join(import.meta.dirname, '..', '..');

describe('the direction of dependencies', () => {
  it('given this workspace, when its import graph is read, then no rule is broken', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
    const packages = readWorkspace(root);
    expect(packages.length).toBeGreaterThan(20);
    expect(violations(packages, new Set([...Object.keys(devDependencies), ...packages.map(({ name }) => name)]))).toEqual([]);
  });

  it('given a workspace that breaks every rule, when its import graph is read, then each breach is named', () => {
    const found = violations(readWorkspace(join(import.meta.dirname, 'fixtures', 'violating')), new Set());
    expect(found.toSorted()).toEqual([
      'adapters/store/src/index.ts: child_process.exec runs a shell',
      'adapters/store/src/index.ts: shell: true',
      'cycle: @sample/codec → @sample/store → @sample/codec',
      'kernel/codec/src/index.ts: layer kernel must not import @sample/store (layer adapter)',
      'kernel/codec/src/index.ts: the kernel does no I/O (node:fs)',
      'services/alpha/src/index.ts: deep import of @sample/beta/src/index.js',
      'services/alpha/src/index.ts: layer service must not import @sample/beta/src/index.js (layer service)',
      'services/alpha/src/index.ts: layer service must not import @sample/store (layer adapter)',
      'services/alpha/src/index.ts: left-pad is not declared in services/alpha/package.json',
      'services/alpha/src/index.ts: reads the environment',
      'services/alpha/src/index.ts: relative import leaves the package (../../beta/src/index.js)',
    ]);
  });
});
