// What those who run the archive may ask of a group of services: its open associations, and the end of one.
import { randomBytes } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { DimseListener } from '@perennia/ingest-pipeline/dimse';
import type { ProcessControl } from '@perennia/telemetry';

const ABORT = /^\/associations\/(\d{1,15})\/abort$/;

export function groupControl(application: INestApplicationContext): ProcessControl {
  const listener = listenerOf(application);
  return {
    secret: randomBytes(24).toString('base64url'),
    answer: (method, path) => {
      if (method === 'GET' && path === '/associations') return listener?.associations() ?? [];
      const id = method === 'POST' ? ABORT.exec(path)?.[1] : undefined;
      return id === undefined || !listener?.abort(Number(id)) ? undefined : { aborted: Number(id) };
    },
  };
}

/** Of the group, where one of its services has associations. */
function listenerOf(application: INestApplicationContext): DimseListener | undefined {
  try {
    return application.get(DimseListener, { strict: false });
  } catch {
    return undefined;
  }
}
