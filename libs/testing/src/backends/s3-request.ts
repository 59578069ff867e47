// One signed request to an S3 server, for what tests set up or look at besides the adapter they test: buckets, users, versions on record.
// Signature version 4 as in "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference.
import { createHash, createHmac } from 'node:crypto';

export interface S3Access {
  endpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Bucket and key as they stand in the URL. */
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

const hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

export async function s3Request(access: S3Access, { method, path, query = {}, headers = {}, body = '' }: S3Request): Promise<Response> {
  const { host } = new URL(access.endpoint);
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const signed: Record<string, string> = { ...headers, host, 'x-amz-content-sha256': hex(body), 'x-amz-date': stamp };
  const names = Object.keys(signed).toSorted();
  const search = Object.entries(query).toSorted().map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  const canonical = [method, path, search, ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), hex(body)].join('\n');
  const scope = `${stamp.slice(0, 8)}/${access.region}/s3/aws4_request`;
  const key = [access.region, 's3', 'aws4_request'].reduce((from, part) => hmac(from, part), hmac(`AWS4${access.secretAccessKey}`, stamp.slice(0, 8)));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, hex(canonical)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${access.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const { host: _host, ...sent } = signed;
  const withBody = method === 'GET' || method === 'HEAD' ? {} : { body: body as string };
  return fetch(`${access.endpoint}${path}${search && `?${search}`}`, { method, headers: { ...sent, authorization }, ...withBody });
}

/** @throws when the server does not agree */
export async function s3RequestOrThrow(access: S3Access, request: S3Request): Promise<string> {
  const answer = await s3Request(access, request);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method} ${request.path} was answered with ${answer.status}: ${text.slice(0, 500)}`);
  return text;
}
