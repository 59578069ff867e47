// Section `storage`: the tiers, and which of them does what.
import { defineConfig, durationOption } from '@perennia/config';
import { HOT_TIER, LANDING_TIER } from '@perennia/contracts';
import { z } from 'zod';

const tierName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower case letters, digits and hyphens')
  .refine((name) => name !== LANDING_TIER, { message: 'is the name of the landing area' });

const fileTier = z.strictObject({
  name: tierName,
  kind: z.literal('file'),
  /** Relative to the data folder. */
  directory: z.string().min(1),
});
const s3Tier = z.strictObject({
  name: tierName,
  kind: z.literal('s3'),
  /** URL of the server without the bucket; absent: Amazon's. */
  endpoint: z.url().optional(),
  region: z.string().min(1).default('us-east-1'),
  bucket: z.string().min(1),
  /** Stands before every key. */
  prefix: z.string().min(1).optional(),
  /** Absent, with its secret: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, shared files, or the role of the machine. */
  accessKeyId: z.string().min(1).optional(),
  /** File whose only content is the secret key: it stands in no configuration. */
  secretAccessKeyFile: z.string().min(1).optional(),
  caFile: z.string().min(1).optional(),
  pathStyle: z.boolean().optional(),
  /** Requests at once. */
  connections: z.int().min(1).max(1024).optional(),
});
export const tierSchema = z.discriminatedUnion('kind', [fileTier, s3Tier]);
export type TierProfile = z.infer<typeof tierSchema>;
export type S3TierProfile = z.infer<typeof s3Tier>;

const names = (tiers: readonly TierProfile[]): string[] => tiers.map(({ name }) => name);

export class StorageConfig extends defineConfig(
  'storage',
  z.object({
    tiers: z
      .array(tierSchema)
      .min(1)
      .refine((tiers) => new Set(names(tiers)).size === tiers.length, { message: 'two tiers have the same name' })
      .default([{ name: HOT_TIER, kind: 'file', directory: 'objects' }])
      .meta({
        description:
          'Where objects are kept, those that are read at the least cost first. `{name, kind: file, directory}`, or ' +
          '`{name, kind: s3, endpoint, region, bucket, prefix, accessKeyId, secretAccessKeyFile, caFile, pathStyle, connections}`',
        unit: 'list of tiers', bound: 'names unique; a tier that holds anything stays in the list',
      }),
    hot: tierName.default(HOT_TIER).meta({ description: 'Tier that studies are filed into first', unit: 'name of a tier', bound: 'one of storage.tiers' }),
    tenantHot: z.record(z.string(), tierName).default({}).meta({ description: 'The same for single tenants', unit: 'tenant: name of a tier', bound: 'tiers of storage.tiers' }),
    second: tierName.optional().meta({ description: 'Tier that receives a verified copy of each filed study', unit: 'name of a tier', bound: 'one of storage.tiers, not a hot one' }),
    trust: durationOption({
      meaning: 'A copy whose bytes were compared with their digest so recently is given out without comparing them again; 0s: always compare', default: '1d', min: '0s', max: '3650d',
    }),
    landing: z
      .string()
      .default('file')
      .meta({
        description: 'Where objects stand until they are filed: on the disk of the data folder, or in an S3 tier, which several machines share',
        unit: 'text', bound: 'file, or the name of an S3 tier',
      }),
  }),
) {}
