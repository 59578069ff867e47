// Section `retrieve`: queries and retrieval over DIMSE.
import { countOption, defineConfig, durationOption } from '@perennia/config';
import { listenerOptions } from '@perennia/ingest-pipeline/listener-options';
import { z } from 'zod';

export class RetrieveConfig extends defineConfig(
  'retrieve',
  z.object({
    ...listenerOptions(11112),
    maxMatches: countOption({ meaning: 'Matches of one C-FIND above which it is refused (A700) instead of answered; 0: none', default: 100_000, min: 0, max: 100_000_000 }),
    commitmentDepth: z
      .enum(['listed', 'digest'])
      .default('digest')
      .meta({
        description: 'What storage commitment looks at: that an object is in the catalogue, or also its bytes, where nobody compared them with their digest lately',
        unit: 'enum', bound: 'listed, digest',
      }),
    commitmentGrace: durationOption({ meaning: 'How long after a commitment request an object that is not in the catalogue may still come', default: '60s', min: '0s', max: '24h' }),
    upperKeys: z
      .enum(['as-negotiated', 'optional'])
      .default('as-negotiated')
      .meta({
        description: 'Unique keys of the levels above in a C-FIND: needed unless relational queries were negotiated, or never',
        unit: 'enum', bound: 'as-negotiated, optional',
      }),
  }),
) {}
