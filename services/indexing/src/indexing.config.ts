// Section `indexing`.
import { countOption, defineConfig } from '@perennia/config';
import { z } from 'zod';

export class IndexingConfig extends defineConfig(
  'indexing',
  z.object({
    batchReceipts: countOption({ meaning: 'Receipts that are indexed in one transaction at most', default: 2000, min: 1, max: 10_000 }),
  }),
) {}
