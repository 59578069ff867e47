import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { configReference, countOption, defineConfig, durationOption, loadConfig, portOption, textOption } from './index.js';

class TopConfig extends defineConfig('', z.object({
  data: textOption('Where the archive keeps its data', './data'),
  databaseUrl: z.string().optional().meta({ description: 'Outside database', unit: 'URL', secret: true }),
})) {}
class NetConfig extends defineConfig('net', z.object({
  port: portOption('Where it listens', 104),
  quietTime: durationOption({ meaning: 'Quiet | time', default: '1m', min: '1s', max: '1h' }),
  peers: z.array(z.strictObject({ ae: z.string() })).default([]).meta({ description: 'Peers', unit: 'list', bound: 'any' }),
  slots: countOption({ meaning: 'Slots', default: 4, min: 1, max: 8 }),
})) {}
const sections = [TopConfig, NetConfig];

function load(environment: Record<string, string> = {}, yaml?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'vna-config-'));
  if (yaml !== undefined) writeFileSync(join(folder, 'vna.yaml'), yaml);
  return loadConfig(sections, { environment, folder });
}

describe('loadConfig', () => {
  it('given no sources, when loaded, then defaults are in force and say so', () => {
    const config = load();
    expect(config.get(NetConfig)).toMatchObject({ port: 104, quietTime: 60_000, slots: 4 });
    expect(config.shown().map(({ origin }) => origin)).toEqual(Array(6).fill('default'));
  });
  it('given file and environment, when loaded, then the environment wins over the file and the file over the default', () => {
    const config = load({ VNA_NET_PORT: '7104', PATH: '/bin' }, 'net:\n  port: 6104\n  quietTime: 30s\n');
    expect(config.get(NetConfig)).toMatchObject({ port: 7104, quietTime: 30_000 });
    expect(config.shown().find(({ key }) => key === 'net.port')?.origin).toBe('environment VNA_NET_PORT');
    expect(config.shown().find(({ key }) => key === 'net.quietTime')).toMatchObject({ value: '30s', origin: expect.stringContaining('vna.yaml') });
  });
  it('given a list in the environment, when loaded, then it is read as YAML', () => {
    expect(load({ VNA_NET_PEERS: '[{ae: CT1}]' }).get(NetConfig).peers).toEqual([{ ae: 'CT1' }]);
  });
  it('given a text option whose value looks like a number, when loaded, then it stays a text', () => {
    expect(load({ VNA_DATA: '42' }).get(TopConfig).data).toBe('42');
  });
  it('given a secret, when shown or refused, then its value does not appear', () => {
    const config = load({ VNA_DATABASE_URL: 'postgres://u:hush@h/d' });
    expect(config.get(TopConfig).databaseUrl).toBe('postgres://u:hush@h/d');
    expect(JSON.stringify(config.shown())).not.toContain('hush');
  });
  it.each([
    ['a misspelt variable', { VNA_NET_PROT: '1' }, undefined, 'did you mean "VNA_NET_PORT"?'],
    ['a misspelt key of the file', {}, 'net:\n  quiettme: 1s\n', 'did you mean "net.quietTime"?'],
    ['a misspelt section', {}, 'nett:\n  port: 1\n', 'did you mean "net"?'],
    ['a value out of bounds', { VNA_NET_SLOTS: '99' }, undefined, 'net.slots (from environment VNA_NET_SLOTS): 99 is not allowed'],
    ['a nonsense duration', { VNA_NET_QUIET_TIME: 'soon' }, undefined, '"soon" is no duration'],
    ['a file that is no YAML', {}, 'net: [', 'cannot be read'],
    ['a named file that is missing', { VNA_CONFIG: 'gone.yaml' }, undefined, 'cannot be read'],
  ])('given %s, when loaded, then it is refused in one sentence', (_, environment, yaml, message) => {
    expect(() => load(environment as Record<string, string>, yaml)).toThrow(message);
  });
  it('given the variables of tests, when loaded, then they are no unknown keys', () => {
    expect(() => load({ VNA_TEST_BUILD: '1', VNA_FAIL: 'K1:kill', VNA_MUTANT: 'x', VNA_REQUIRE_BACKENDS: 'y' })).not.toThrow();
  });
});

describe('configReference', () => {
  it('lists every option with its variable, default in units, and bound', () => {
    const page = configReference(sections);
    expect(page).toContain('| `net.quietTime`<br>`VNA_NET_QUIET_TIME` | Quiet \\| time | duration | `1m` | 1s to 1h |');
    expect(page).toContain('(secret: never shown)');
  });
});
