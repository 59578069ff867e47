import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { countOption, defineConfig, durationOption, flagOption, portOption, sizeOption } from './index.js';

class SampleConfig extends defineConfig(
  'sample',
  z.object({
    port: portOption('Where it listens', 11112),
    quiet: durationOption({ meaning: 'Quiet time', default: '60s', min: '1s', max: '1h' }),
    budget: sizeOption({ meaning: 'Bytes in flight', default: '64MiB', min: '1MiB', max: '4GiB' }),
    workers: countOption({ meaning: 'Workers', default: 2, min: 1, max: 16 }),
    strict: flagOption('Be strict', false),
  }),
) {}

describe('defineConfig', () => {
  it('gives typed defaults as an instance of the section class', () => {
    const config = SampleConfig.with();
    expect(config).toBeInstanceOf(SampleConfig);
    const typed: { port: number; quiet: number; strict: boolean } = config;
    expect({ ...typed }).toEqual({ port: 11112, quiet: 60_000, budget: 64 * 2 ** 20, workers: 2, strict: false });
  });
  it('reads durations and sizes with units', () => {
    expect(SampleConfig.with({ quiet: '5m', budget: '1GiB' })).toMatchObject({ quiet: 300_000, budget: 2 ** 30 });
  });
  it.each([[{ quiet: '2h' }], [{ quiet: 'soon' }], [{ port: 70_000 }], [{ prot: 1 }]])('refuses %j in words', (differences) => {
    expect(() => SampleConfig.with(differences as object)).toThrow(/sample/);
  });
});
