// Verification of a remote node (PS3.4 Annex A), stage by stage: the name, the connection, TLS where it has it, the association, C-ECHO.
// Tells in words where it fails and what to do. What the network or the node does is never thrown.
import type { Duplex } from 'node:stream';
import { AssociationError, DicomRequestor, type RequestedContext, type RequestorAssociation } from '@perennia/dicom-net';
import type { Clock } from '@perennia/telemetry';
import type { NodeVerification, RefusedContext } from './node-verification.js';
import type { RemoteNodeSettings } from './remote-node.js';
import { associationFailure } from './stages/association-failure.js';
import { connectNode, type NodeAddress } from './stages/connect-node.js';
import { refusedContexts } from './stages/context-results.js';
import type { SecurityOptions } from './stages/secure-transport.js';
import { StageFailure } from './stages/stage-failure.js';
import { StageLog } from './stages/stage-log.js';

export interface VerificationOptions extends SecurityOptions {
  /** AE title that we call ourselves. */
  readonly callingAet: string;
  readonly clock: Clock;
  /** How long each stage may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** Proposed besides Verification, 127 at most: those that are refused are told, and nothing fails by them. */
  readonly contexts?: readonly RequestedContext[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** PS3.4 §A.4, in implicit VR little endian (PS3.5 §10.1) and explicit VR little endian. */
const VERIFICATION: RequestedContext = { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'] };

export type VerifiedNode = NodeAddress & Pick<RemoteNodeSettings, 'aeTitle'>;

export async function verifyNode(node: VerifiedNode, options: VerificationOptions): Promise<NodeVerification> {
  return new NodeVerifier(node, options).verify();
}

class NodeVerifier {
  readonly #log: StageLog;
  readonly #contexts: readonly RequestedContext[];
  /** Ends the connection, however far it came. */
  readonly #end = new AbortController();
  #refused: RefusedContext[] = [];

  constructor(private readonly node: VerifiedNode, private readonly options: VerificationOptions) {
    this.#log = new StageLog(options.clock, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#contexts = [VERIFICATION, ...(options.contexts ?? [])];
  }

  async verify(): Promise<NodeVerification> {
    try {
      const association = await this.#associate(await connectNode(this.node, this.#log, this.#end.signal, this.options));
      await this.#echo(association);
      await this.#release(association);
    } catch (error) {
      if (!(error instanceof StageFailure)) throw error;
    } finally {
      this.#end.abort();
    }
    const stages = this.#log.results;
    return { ok: stages.every(({ ok }) => ok), stages, refusedContexts: this.#refused };
  }

  #associate(transport: Duplex): Promise<RequestorAssociation> {
    const { host, port, aeTitle } = this.node;
    return this.#log.run({
      name: 'association',
      work: async () => {
        const association = await this.#told(DicomRequestor.connect({
          host, port, calledAet: aeTitle, callingAet: this.options.callingAet, contexts: this.#contexts, connect: () => transport,
        }));
        this.#refused = refusedContexts(this.#contexts, association.contextResults);
        if (association.acceptedContexts.some(({ abstractSyntax }) => abstractSyntax === VERIFICATION.abstractSyntax)) return association;
        await this.#release(association);
        throw new StageFailure(
          `The node accepts the association, but not Verification: ${this.#refused[0]?.reason}`,
          'Look for Verification (C-ECHO) in the settings of the node; without it, whether it works is seen at the first object sent',
        );
      },
      found: ({ acceptedContexts }) => `accepted, with ${acceptedContexts.length} of ${this.#contexts.length} presentation contexts`,
      late: new StageFailure('The node did not answer the request for an association', 'Perhaps the port belongs to another program, or wants TLS; look into the log of the node'),
    });
  }

  async #echo(association: RequestorAssociation): Promise<void> {
    await this.#log.run({
      name: 'echo',
      work: async () => {
        const status = await this.#told(association.echo());
        if (status === 0) return;
        throw new StageFailure(`The node answered C-ECHO with status ${status.toString(16).toUpperCase().padStart(4, '0')}`, 'Look into the log of the node');
      },
      found: () => 'answered with success',
      late: new StageFailure('The node did not answer C-ECHO', 'It accepts associations and serves none: look into its log, or start it again'),
    });
  }

  #told<Result>(work: Promise<Result>): Promise<Result> {
    return work.catch((error: unknown) => {
      throw associationFailure(error, { callingAet: this.options.callingAet, calledAet: this.node.aeTitle });
    });
  }

  /** In order if the node plays along; how it ends an association is no matter of verification. */
  async #release(association: RequestorAssociation): Promise<void> {
    try {
      await this.#log.inTime(association.release(), new StageFailure('The node did not answer the release', ''));
    } catch (error) {
      if (!(error instanceof AssociationError || error instanceof StageFailure)) throw error;
    }
  }
}
