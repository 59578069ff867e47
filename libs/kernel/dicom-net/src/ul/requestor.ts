// Opens associations to other nodes (PS3.8 §7.1), for C-ECHO, C-STORE and C-FIND.
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { deferred } from '../deferred.js';
import { DICOM_APPLICATION_CONTEXT, PROTOCOL_VERSION } from './associate-pdu.js';
import { AssociationTransportError } from './association-error.js';
import type { AssociationRequest } from './association-request.js';
import { IMPLEMENTATION } from './implementation.js';
import { RequestorAssociation } from './requestor-association.js';
import type { RequestorOptions } from './requestor-options.js';
import { SystemTimerSource } from './timer-source.js';

const MAX_CONTEXTS = 128;
const DEFAULT_MAX_PDU_BYTES = 128 * 1024;

export class DicomRequestor {
  /** Rejects with AssociationRejectedError, AssociationAbortedError or AssociationTransportError. */
  static async connect(options: RequestorOptions): Promise<RequestorAssociation> {
    const request = requestOf(options);
    const transport = await (options.connect?.() ?? connectPlainly(options));
    const association = new RequestorAssociation(transport, request, options);
    await association.established;
    return association;
  }
}

function requestOf(options: RequestorOptions): AssociationRequest {
  if (options.contexts.length === 0 || options.contexts.length > MAX_CONTEXTS) {
    throw new RangeError(`An association needs 1 to ${MAX_CONTEXTS} presentation contexts, not ${options.contexts.length}.`);
  }
  const implementation = options.implementation ?? IMPLEMENTATION;
  return {
    protocolVersion: PROTOCOL_VERSION,
    applicationContext: DICOM_APPLICATION_CONTEXT,
    callingAet: options.callingAet,
    calledAet: options.calledAet,
    presentationContexts: options.contexts.map((context, index) => ({ id: 2 * index + 1, ...context })),
    maxPduBytes: options.maxPduBytes ?? DEFAULT_MAX_PDU_BYTES,
    implementationClassUid: implementation.classUid,
    implementationVersion: implementation.version,
    ...(options.operationsWindow ? { operationsWindow: options.operationsWindow } : {}),
    roles: options.roles ?? [],
    extendedNegotiations: options.extendedNegotiations ?? [],
    commonExtendedNegotiations: [],
    ...(options.userIdentity ? { userIdentity: options.userIdentity } : {}),
  };
}

function connectPlainly(options: RequestorOptions): Promise<Duplex> {
  const { promise, resolve, reject } = deferred<Duplex>();
  const socket = connect({ host: options.host, port: options.port, noDelay: true });
  const timeout = (options.timers ?? new SystemTimerSource()).schedule(options.associateTimeoutMs ?? 30_000, () => {
    socket.destroy(new Error('no connection in time'));
  });
  const failed = (error: Error): void => {
    timeout.cancel();
    reject(new AssociationTransportError(error.message, error));
  };
  socket.once('error', failed);
  socket.once('connect', () => {
    timeout.cancel();
    socket.off('error', failed);
    resolve(socket);
  });
  return promise;
}
