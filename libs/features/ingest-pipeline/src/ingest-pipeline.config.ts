// Section `pipeline`: limits of reception, for every road into the archive.
import { defineConfig, durationOption, sizeOption } from '@perennia/config';
import { z } from 'zod';

export class IngestPipelineConfig extends defineConfig(
  'pipeline',
  z.object({
    maxBytesInFlight: sizeOption({ meaning: 'Received bytes a process holds in memory before it pauses its sockets', default: '96MiB', min: '16MiB', max: '8GiB' }),
    republishAfter: durationOption({ meaning: 'A receipt without a row this long after it landed is published again', default: '10m', min: '1s', max: '1d' }),
    indexedTimeout: durationOption({ meaning: 'How long a sender who wants to be findable is kept waiting', default: '5s', min: '100ms', max: '60s' }),
  }),
) {}
