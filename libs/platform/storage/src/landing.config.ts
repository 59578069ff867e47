// Section `landing`: the write-ahead log of reception on this machine's disk.
import { countOption, defineConfig, durationOption, sizeOption } from '@perennia/config';
import { z } from 'zod';

export class LandingConfig extends defineConfig(
  'landing',
  z.object({
    segmentSize: sizeOption({ meaning: 'Size of a landing segment, allocated in advance; rounded down to 4 KiB', default: '256MiB', min: '16MiB', max: '4GiB' }),
    segments: countOption({ meaning: 'Segments per area that are kept for re-use', default: 12, min: 2, max: 1024 }),
    maxSegments: countOption({ meaning: 'Segments an area may grow to while filing is behind; then senders are refused (A700, 507)', default: 128, min: 2, max: 4096 }),
    reserve: sizeOption({ meaning: 'Free space of the disk the landing areas never grow into; the database lives there too', default: '1GiB', min: '0B', max: '1TiB' }),
    warnAt: countOption({ meaning: 'From so much of the disk in use on a warning is logged and told by readiness', default: 80, min: 1, max: 100, unit: 'per cent' }),
    stopAt: countOption({ meaning: 'From so much of the disk in use on senders are refused (A700, 507); 100: only when there is no room', default: 95, min: 50, max: 100, unit: 'per cent' }),
    adoptAfter: durationOption({
      meaning: 'An area in an S3 tier whose owner has not been heard of for so long is worked off by a lifecycle process', default: '10m', min: '1s', max: '7d',
    }),
    recycleGrace: durationOption({ meaning: 'From releasing a segment to using it again, so that readers finish', default: '10s', min: '0s', max: '1h' }),
  }),
) {}
