// What `vna node test` and `vna doctor NODE` do: a remote node, as its row names it, verified from this machine.
import { InvalidInputError } from '@perennia/errors';
import { IngestConfig } from '@perennia/ingest/ingest.config';
import { NodeDirectory, verifyNode, type NodeVerification } from '@perennia/remote-nodes';
import { SystemClock } from '@perennia/telemetry';
import type { ArchiveAccess } from './archive-access.js';
import { columns } from './command-output.js';

export interface NodeTestOptions {
  tenant: string;
  /** SOP classes that are proposed besides Verification. */
  sopClasses?: readonly string[];
  /** For each stage. */
  timeoutSeconds: number;
}
export interface NodeTestReport extends NodeVerification {
  node: string;
  host: string;
  port: number;
  callingAet: string;
}

export const DEFAULT_TENANT = 'default';
export const DEFAULT_TIMEOUT_SECONDS = 10;
const LONGEST_TIMEOUT_SECONDS = 300;
/** One context is Verification's own. */
const MOST_SOP_CLASSES = 127;
/** Explicit VR little endian, implicit VR little endian. */
const TRANSFER_SYNTAXES = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2'];

/** @throws NotFoundError, InvalidInputError; never for what the node does */
export async function testNode(access: ArchiveAccess, aeTitle: string, { tenant, sopClasses = [], timeoutSeconds }: NodeTestOptions): Promise<NodeTestReport> {
  checkOptions(sopClasses, timeoutSeconds);
  const clock = new SystemClock();
  const node = await access.withDatabases(({ control }) => new NodeDirectory(control, clock).get(tenant, aeTitle));
  const callingAet = access.config.get(IngestConfig).aeTitle;
  const contexts = sopClasses.map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: TRANSFER_SYNTAXES }));
  const verification = await verifyNode(node, { callingAet, clock, contexts, timeoutMs: timeoutSeconds * 1000 });
  return { node: node.aeTitle, host: node.host, port: node.port, callingAet, ...verification };
}

function checkOptions(sopClasses: readonly string[], timeoutSeconds: number): void {
  const wrong = sopClasses.find((uid) => !/^[0-9.]{1,64}$/.test(uid));
  if (wrong !== undefined) throw new InvalidInputError(`"${wrong}" is no SOP Class UID`);
  if (sopClasses.length > MOST_SOP_CLASSES) throw new InvalidInputError(`An association cannot propose ${sopClasses.length} SOP classes`, { remedy: `Name at most ${MOST_SOP_CLASSES}` });
  if (!(timeoutSeconds > 0 && timeoutSeconds <= LONGEST_TIMEOUT_SECONDS)) {
    throw new InvalidInputError(`A stage cannot be given ${timeoutSeconds} seconds`, { remedy: `Say more than 0 and at most ${LONGEST_TIMEOUT_SECONDS}` });
  }
}

export const nodeTestLines = ({ node, host, port, callingAet, stages, refusedContexts }: NodeTestReport): string[] => [
  `${callingAet} to ${node} at ${host}, port ${port}`,
  ...columns(stages.map(({ stage, ok, durationMs, found, remedy }) => [ok ? 'ok' : 'FAILED', stage, `${durationMs} ms`, remedy === undefined ? found : `${found}. ${remedy}.`])),
  ...columns(refusedContexts.map(({ abstractSyntax, reason }) => ['refused', abstractSyntax, reason])),
];
