import { hasBackend, objectStoreContract, S3Server, type S3BucketOptions } from '@perennia/testing';
import { S3ObjectStore } from './s3-object-store.js';

const hasS3 = hasBackend('s3');

const contract = (name: string, options: S3BucketOptions, prefix?: string): void => objectStoreContract(name, async () => {
  const server = await S3Server.use();
  const bucket = await server.createBucket(options);
  const store = await S3ObjectStore.open({ ...server.access, bucket, prefix, partSizeBytes: 5 * 1024 * 1024 });
  return {
    store,
    // Servers on a file system keep `a/b` in a folder `a`.
    keysBelowKeys: false,
    close: async () => {
      store.close();
      await server.remove();
    },
  };
});

if (hasS3) {
  contract('S3ObjectStore', {});
  contract('S3ObjectStore below a prefix, in a bucket with versions', { versioning: true }, 'site-a/archive');
}
