// Tells the result of a transaction over an association of our own, on which we are the SCP (PS3.4 §J.3.3; PS3.7 §D.3.3.4).
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, writeDataset } from '@perennia/dicom-data';
import { DicomRequestor, statusCategory, StorageCommitment, type EventReportOperation, type RequestorAssociation } from '@perennia/dicom-net';
import { ArchiveError, UnavailableError } from '@perennia/errors';
import { openNodeTransport, type RemoteNode } from '@perennia/remote-nodes';
import type { Clock } from '@perennia/telemetry';
import { eventInformationOf, eventTypeOf, type CommitmentResult } from './commitment-result.js';

const { sopClassUid, sopInstanceUid } = StorageCommitment;
const SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];

export class EventReporter {
  constructor(
    private readonly aeTitle: string,
    private readonly clock: Clock,
  ) {}

  /** @throws UnavailableError that says what happened: trying again may succeed */
  async report(node: RemoteNode, transactionUid: string, result: CommitmentResult): Promise<void> {
    try {
      const association = await this.connect(node);
      await this.tell(association, transactionUid, result).finally(() => association.release().catch(() => undefined));
    } catch (cause) {
      if (cause instanceof ArchiveError) throw cause;
      throw new UnavailableError(`The result could not be told to ${node.aeTitle}: ${(cause as Error).message}`, { cause, remedy: `Try "vna node test ${node.aeTitle}"` });
    }
  }

  /** As an operation of any association on which we are the SCP. */
  operationOf(transferSyntaxUid: string, transactionUid: string, result: CommitmentResult): EventReportOperation {
    const information = writeDataset(eventInformationOf(transactionUid, this.aeTitle, result), transferSyntaxUid);
    return { sopClassUid, sopInstanceUid, transferSyntaxUid, eventTypeId: eventTypeOf(result), information };
  }

  private connect(node: RemoteNode): Promise<RequestorAssociation> {
    return DicomRequestor.connect({
      host: node.host, port: node.port, connect: () => openNodeTransport(node, { clock: this.clock }), callingAet: this.aeTitle, calledAet: node.aeTitle,
      contexts: SYNTAXES.map((each) => ({ abstractSyntax: sopClassUid, transferSyntaxes: [each] })), roles: [{ sopClassUid, scu: false, scp: true }],
    });
  }

  private async tell(association: RequestorAssociation, transactionUid: string, result: CommitmentResult): Promise<void> {
    const transferSyntaxUid = SYNTAXES.find((each) => association.contextFor(sopClassUid, each));
    if (transferSyntaxUid === undefined) throw new UnavailableError('The node takes no results of storage commitment: its presentation context was refused');
    const { status } = await association.report(this.operationOf(transferSyntaxUid, transactionUid, result));
    if (statusCategory(status) === 'failure') throw new UnavailableError(`The node answered the result with status ${status.toString(16).toUpperCase().padStart(4, '0')}`);
  }
}
