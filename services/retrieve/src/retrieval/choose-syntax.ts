// In which of the syntaxes that a peer takes an object is sent: as it is stored wherever that is among them (PS3.4 §C.5.3), else an
// uncompressed one, decoded if need be. Never anything that loses.
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import { canSendIn, type StoredInstance } from '@perennia/egress';

/** What every peer should take, the better first. */
const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];

/** Whether pixels of a transfer syntax can be decoded. */
export type Decodes = (transferSyntaxUid: string) => boolean;

export function chooseSyntax(instance: StoredInstance, accepted: (transferSyntaxUid: string) => boolean, decodes: Decodes): string | undefined {
  return [instance.transferSyntaxUid, ...UNCOMPRESSED].find((each) => accepted(each) && canSendIn(instance, each, decodes));
}

/** The contexts in which instances may be sent, each syntax in one of its own, so that a peer answers for each. At most as many as fit. */
export function* proposalsFor(
  instances: readonly StoredInstance[], most: number, decodes: Decodes,
): Generator<{ contexts: { abstractSyntax: string; transferSyntaxes: string[] }[]; instances: StoredInstance[] }> {
  const byClass = Map.groupBy(instances, ({ sopClassUid }) => sopClassUid);
  let contexts: { abstractSyntax: string; transferSyntaxes: string[] }[] = [];
  let served: StoredInstance[] = [];
  for (const [abstractSyntax, ofClass] of byClass) {
    const syntaxes = [...new Set(ofClass.flatMap((each) => [each.transferSyntaxUid, ...UNCOMPRESSED.filter((other) => canSendIn(each, other, decodes))]))];
    if (contexts.length > 0 && contexts.length + syntaxes.length > most) {
      yield { contexts, instances: served };
      [contexts, served] = [[], []];
    }
    contexts.push(...syntaxes.slice(0, most).map((each) => ({ abstractSyntax, transferSyntaxes: [each] })));
    served.push(...ofClass);
  }
  if (served.length > 0) yield { contexts, instances: served };
}
