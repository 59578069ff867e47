// Entity tags and If-None-Match (RFC 9110 §8.8.3, §13.1.2). Tags follow from ids and versions: nothing is read to make one.
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

export function entityTag(...parts: readonly (string | number)[]): string {
  return `"${createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 22)}"`;
}

/** Sends 304 and tells so when the client has what the tag names. */
export function answeredNotModified(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  const known = request.headers['if-none-match'];
  if (known === undefined) return false;
  const matches = known.trim() === '*' || known.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
  if (matches) void reply.code(304).header('etag', tag).send();
  return matches;
}
