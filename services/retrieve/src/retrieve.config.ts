// Section `retrieve`: queries and retrieval over DIMSE.
import { defineConfig, countOption } from '@perennia/config';
import { listenerOptions } from '@perennia/ingest-pipeline/listener-options';
import { z } from 'zod';

export class RetrieveConfig extends defineConfig(
  'retrieve',
  z.object({
    ...listenerOptions(11112),
    maxMatches: countOption({ meaning: 'Matches of one C-FIND above which it is refused (A700) instead of answered; 0: none', default: 100_000, min: 0, max: 100_000_000 }),
    upperKeys: z
      .enum(['as-negotiated', 'optional'])
      .default('as-negotiated')
      .meta({
        description: 'Unique keys of the levels above in a C-FIND: needed unless relational queries were negotiated, or never',
        unit: 'enum', bound: 'as-negotiated, optional',
      }),
  }),
) {}
