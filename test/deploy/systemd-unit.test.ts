// The systemd unit: the same command as the image, hardened, and taken by systemd where it is on this machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { commandOf, environmentOf, stagesOf } from './dockerfile.js';
import { settingProblems } from './product-settings.js';

const repository = join(import.meta.dirname, '../..');
const text = readFileSync(join(repository, 'deploy', 'vna.service'), 'utf8');
const image = stagesOf(readFileSync(join(repository, 'deploy', 'Dockerfile'), 'utf8')).at(-1)!;
const directory = mkdtempSync(join(tmpdir(), 'perennia-unit-'));
const values = (key: string): string[] => text.split('\n').filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
const environment = Object.fromEntries(values('Environment').flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the systemd unit', () => {
  it('starts what the image starts, with the same environment but for the folder', () => {
    expect(values('ExecStart')).toEqual([commandOf(image, 'CMD').join(' ')]);
    const { NODE_ENV: _mode, ...ofImage } = environmentOf(image);
    expect({ ...environment, VNA_DATA: '/data' }).toEqual(ofImage);
    expect(settingProblems(environment)).toEqual([]);
  });

  it.each([
    ['User', 'perennia'], ['NoNewPrivileges', 'yes'], ['ProtectSystem', 'strict'], ['ProtectHome', 'yes'], ['PrivateTmp', 'yes'], ['PrivateDevices', 'yes'], ['CapabilityBoundingSet', ''],
    ['RestrictNamespaces', 'yes'], ['ProtectKernelModules', 'yes'], ['SystemCallFilter', '@system-service'], ['Restart', 'on-failure'], ['StartLimitIntervalSec', '0'], ['KillMode', 'mixed'], ['UMask', '0077'],
  ])('says %s=%s', (key, value) => {
    expect(values(key)).toEqual([value]);
  });

  const present = spawnSync('systemd-analyze', ['--version']).status === 0;
  (present ? it : it.skip)('given systemd-analyze, then the unit is valid and hardly exposed', () => {
    const unit = join(directory, 'vna.service');
    // Its programs are looked for where they are here.
    writeFileSync(unit, text.replaceAll('/opt/perennia', repository));
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    const exposure = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], { encoding: 'utf8' });
    expect(exposure.stdout).toMatch(/Overall exposure level for vna\.service: [01]\.\d OK/);
    expect(exposure.status).toBe(0);
  });
});
