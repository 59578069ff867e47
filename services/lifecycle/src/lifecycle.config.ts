// Section `lifecycle`: when and how received objects are filed.
import { countOption, defineConfig, durationOption } from '@perennia/config';
import { z } from 'zod';

export class LifecycleConfig extends defineConfig(
  'lifecycle',
  z.object({
    settle: durationOption({ meaning: 'A study without a new instance for this long is filed', default: '60s', min: '0s', max: '1d' }),
    filers: countOption({ meaning: 'Studies, or groups of small ones, that are filed at the same time once the landing area is half full; before, one', default: 4, min: 1, max: 16 }),
    hurrySegments: countOption({
      meaning: 'Landing segments in use above which studies are filed after hurrySettle, at most three eighths of landing.maxSegments; above twice as many, at once',
      default: 48, min: 1, max: 10_000, unit: 'segments',
    }),
    hurrySettle: durationOption({ meaning: 'Like settle, while the landing area is filling', default: '2s', min: '0s', max: '1h' }),
    verify: z
      .enum(['full', 'index'])
      .default('full')
      .meta({
        description: 'What is read back from the device before the landing records are given up: every byte, or the index of the pack only',
        unit: 'text', bound: 'full, index',
      }),
    orphanAge: durationOption({ meaning: 'A pack that nothing refers to is kept at least this long', default: '24h', min: '24h', max: '365d' }),
  }),
) {}
