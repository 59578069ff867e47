// Makes the buckets that VNA_STORAGE_TIERS names where they are missing: to try a cluster out. In a real one an administrator makes them, with
// the rights and rules of docs/operations/cluster.md; the archive itself needs no right to make buckets.
import { setTimeout as pause } from 'node:timers/promises';
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

const ATTEMPTS = 60;

async function make({ bucket, endpoint, region = 'us-east-1' }) {
  const client = new S3Client({ endpoint, region, forcePathStyle: true });
  for (let attempt = 1; ; attempt++) {
    try {
      const there = await client.send(new HeadBucketCommand({ Bucket: bucket })).then(() => true, (error) => {
        if (error.$metadata?.httpStatusCode === 404) return false;
        throw error;
      });
      if (!there) await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return process.stdout.write(`Bucket ${bucket} ${there ? 'is there' : 'made'}.\n`);
    } catch (error) {
      // No answer at all: the store is starting. Anything else is an answer.
      if (error.$metadata?.httpStatusCode !== undefined || attempt === ATTEMPTS) throw error;
      await pause(1000);
    }
  }
}

for (const tier of JSON.parse(process.env.VNA_STORAGE_TIERS ?? '[]')) if (tier.kind === 's3') await make(tier);
