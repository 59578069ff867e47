// Which requests are answered before any service sees them, and with what (PS3.7 §9.1, §10.1 and Annex C).
import type { AcceptedContext } from '../ul/negotiation.js';
import { CommandField } from './command-field.js';
import type { CommandSet } from './command-set.js';
import type { DimseServices } from './dimse-services.js';
import { isQueryRetrieveSopClass } from './query-retrieve-sop-class.js';
import { DimseStatus } from './status.js';

type SopClasses = Pick<ReadonlySet<string>, 'has'>;
const ANY: SopClasses = { has: () => true };
const STORABLE: SopClasses = { has: (sopClassUid) => !isQueryRetrieveSopClass(sopClassUid) };

/** What requests are answered that lack the dataset they cannot do without. */
const WITHOUT_DATASET: Readonly<Record<number, number>> = {
  [CommandField.cStoreRq]: DimseStatus.cannotUnderstand,
  [CommandField.cFindRq]: DimseStatus.identifierDoesNotMatchSopClass,
  [CommandField.cMoveRq]: DimseStatus.identifierDoesNotMatchSopClass,
  [CommandField.cGetRq]: DimseStatus.identifierDoesNotMatchSopClass,
};

export function refusalOf(services: DimseServices, context: AcceptedContext, command: CommandSet): number | null {
  const { commandField } = command;
  const served = sopClassesOf(services, commandField);
  // An event is reported by an SCP; everything else is asked for by an SCU.
  const hasRole = commandField === CommandField.nEventReportRq ? context.peerIsScp : context.peerIsScu;
  if (!served || !hasRole) return DimseStatus.unrecognizedOperation;
  if (commandField === CommandField.nActionRq) {
    if (command.requestedSopClassUid !== context.abstractSyntax) return DimseStatus.noSuchSopClass;
  } else if (command.affectedSopClassUid !== context.abstractSyntax) return DimseStatus.sopClassNotSupported;
  if (!served.has(context.abstractSyntax)) return DimseStatus.unrecognizedOperation;
  return command.hasDataset ? null : WITHOUT_DATASET[commandField] ?? null;
}

/** Those that there is a service for. */
function sopClassesOf(services: DimseServices, commandField: number): SopClasses | undefined {
  switch (commandField) {
    case CommandField.cEchoRq: return services.echo && ANY;
    case CommandField.cStoreRq: return services.store && STORABLE;
    case CommandField.cFindRq: return services.find?.sopClassUids;
    case CommandField.cMoveRq: return services.move?.sopClassUids;
    case CommandField.cGetRq: return services.get?.sopClassUids;
    case CommandField.nActionRq: return services.action?.sopClassUids;
    case CommandField.nEventReportRq: return services.eventReport?.sopClassUids;
    default: return undefined;
  }
}
