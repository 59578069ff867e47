// The SDK's client as we use it: one pool of kept connections, no repetitions and no checksums of its own.
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError } from '@perennia/errors';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ResolvedOptions } from './s3-options.js';

interface SentRequest {
  headers: Record<string, string>;
}

/** No answer, or a broken one. `code` as the system or TLS calls it. */
class BrokenConnection extends Error {
  override readonly name = 'BrokenConnection';
  readonly code: string;

  constructor(cause: { code?: string; name?: string; message?: string }) {
    super(cause.message, { cause });
    this.code = cause.code ?? cause.name ?? 'unknown';
  }
}

/** The SDK hides errors that are not made by its own copy of `Error`, as those of the runtime in tests; named by us they come through. */
class NamingHandler extends NodeHttpHandler {
  override async handle(...request: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    try {
      return await super.handle(...request);
    } catch (error) {
      throw new BrokenConnection(error as Error);
    }
  }
}

/** @throws ConfigurationError when the file of authorities cannot be read */
export function s3Client(options: ResolvedOptions): S3Client {
  // Requests wait for their turn before they come here: who waited for a socket would be taken for one who cannot connect.
  const agent = { keepAlive: true, maxSockets: Infinity, maxFreeSockets: options.maxConnections };
  const client = new S3Client({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
    ...(options.accessKeyId !== undefined && { credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey! } }),
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: new NamingHandler({
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(options.caFile !== undefined && { ca: readAuthorities(options.caFile) }) }),
      connectionTimeout: options.connectTimeoutMs,
      socketTimeout: options.noProgressMs,
    }),
  });
  client.middlewareStack.add((next, { commandName }) => (args) => {
    const { headers } = args.request as SentRequest;
    const checksum = headers['x-amz-checksum-sha256'];
    // The digest that we send for the object is the one that the signature needs: bytes are hashed once.
    if (checksum !== undefined) headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
    // The SDK would check by itself and wrap the body; we do that while counting bytes.
    if (commandName === 'GetObjectCommand' && (headers['range'] ?? 'bytes=0-').startsWith('bytes=0-')) headers['x-amz-checksum-mode'] = 'ENABLED';
    return next(args);
  }, { step: 'build', name: 'oneDigest' });
  return client;
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError('The file of authorities of the object store cannot be read.', { cause, details: { file }, remedy: 'Correct VNA_S3_CA_FILE.' });
  }
}
