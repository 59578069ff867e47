// C-ECHO as SCP (PS3.7 §9.1.5): the status the service gives, or processing failure when it throws.
import type { EchoService } from './echo-service.js';
import type { RequestOrigin } from './request-origin.js';
import { DimseFailure } from './dimse-failure.js';
import { DimseStatus } from './status.js';

export function performEcho(
  service: EchoService, request: RequestOrigin, onStatus: (status: number) => void, onFailure: (error: unknown) => void,
): void {
  const fail = (error: unknown): void => {
    if (error instanceof DimseFailure) return onStatus(error.status);
    onFailure(error);
    onStatus(DimseStatus.processingFailure);
  };
  try {
    const status = service(request);
    if (typeof status === 'number') onStatus(status);
    else status.then(onStatus, fail);
  } catch (error) {
    fail(error);
  }
}
