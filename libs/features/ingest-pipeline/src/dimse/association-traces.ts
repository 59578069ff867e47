// The traces of associations that are open: begun when one is accepted, ended by the event that ends it.
import type { AcceptorEvent, AssociationRequest, PeerAddress } from '@perennia/dicom-net';
import { TransferTrace } from '../transfer-trace.js';
import type { TraceFields, Tracing } from '@perennia/telemetry';

export class AssociationTraces {
  private readonly open = new Map<number, TransferTrace>();

  constructor(private readonly tracing: Tracing) {}

  /** @returns undefined when nothing is recorded */
  begin({ callingAet, calledAet }: AssociationRequest, peer: PeerAddress, associationId: number): TransferTrace | undefined {
    if (!this.tracing.enabled) return undefined;
    const span = this.tracing.begin('association', {
      kind: 'server',
      attributes: { 'dicom.calling_ae_title': callingAet, 'dicom.called_ae_title': calledAet, 'network.peer.address': peer.address, 'network.protocol.name': 'dicom' },
    });
    const trace = new TransferTrace(this.tracing, span);
    this.open.set(associationId, trace);
    return trace;
  }

  /** Ends the trace where the event ends its association. @returns the fields of the log line that tells the event */
  take(event: AcceptorEvent): TraceFields | undefined {
    if (!('associationId' in event)) return undefined;
    const trace = this.open.get(event.associationId);
    if (!trace) return undefined;
    if (event.type === 'released' || event.type === 'aborted' || event.type === 'rejected') {
      this.open.delete(event.associationId);
      trace.end(event.type === 'released' ? undefined : event.type.toUpperCase());
    }
    return trace.span.logFields;
  }
}
