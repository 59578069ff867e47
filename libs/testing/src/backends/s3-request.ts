// One signed request to an S3 server, for what tests set up or look at besides the adapter they test: buckets, users, versions on record.
// Signature version 4 as in "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference.
import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

export interface S3Access {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** PEM of the authority to trust, for https. */
  ca?: string;
}

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Bucket and key as they stand in the URL. */
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

export interface S3Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

export async function s3Request(access: S3Access, { method, path, query = {}, headers = {}, body = '' }: S3Request): Promise<S3Answer> {
  const { host } = new URL(access.endpoint);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  // What sets rules of a bucket needs a checksum of its own.
  const checksum: Record<string, string> = body.length > 0 ? { 'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64') } : {};
  const signed: Record<string, string> = { ...checksum, ...headers, host, 'x-amz-content-sha256': hex(body), 'x-amz-date': stamp };
  const names = Object.keys(signed).toSorted();
  const search = Object.entries(query).toSorted().map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const canonical = [method, path, search, ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), hex(body)].join('\n');
  const scope = `${stamp.slice(0, 8)}/${access.region}/s3/aws4_request`;
  const key = [access.region, 's3', 'aws4_request'].reduce((from, part) => hmac(from, part), hmac(`AWS4${access.secretAccessKey}`, stamp.slice(0, 8)));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, hex(canonical)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${access.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const url = new URL(`${access.endpoint}${path}${search && `?${search}`}`);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const length = Buffer.byteLength(body);
    send(url, { method, headers: { ...signed, authorization, ...(length > 0 && { 'content-length': length }) }, ca: access.ca }, resolve).once('error', reject).end(body);
  });
  return { status: response.statusCode!, headers: response.headers, body: await text(response) };
}

/** @throws when the server does not agree */
export async function s3RequestOrThrow(access: S3Access, request: S3Request): Promise<string> {
  const { status, body } = await s3Request(access, request);
  if (status >= 300) throw new Error(`${request.method} ${request.path} was answered with ${status}: ${body.slice(0, 500)}`);
  return body;
}
