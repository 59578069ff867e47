// Which of the forms of application/dicom a client gets, and in which transfer syntax each instance (PS3.18 §8.7.3.5): as stored where that is taken,
// else in explicit or implicit VR little endian, decoded if need be.
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '@perennia/dicom-data';
import { DicomWebError, negotiate, type AcceptRange, type Representation } from '@perennia/dicom-web';
import { canSendIn, type GivenInstance, type StoredInstance } from '@perennia/egress';

export interface ChosenRepresentation {
  mediaType: string;
  given: readonly GivenInstance[];
  /** Each instance in its stored transfer syntax. */
  asStored: boolean;
}
/** Whether pixels of a transfer syntax can be decoded. */
type Decodes = (transferSyntaxUid: string) => boolean;
type Form = Omit<Representation, 'transferSyntax'>;

const WRITTEN_ANEW = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
const MOST_NAMED = 3;

/**
 * @param forms what the resource can be given as, in our order of preference
 * @throws DicomWebError (406) when the client takes some instance in none of the transfer syntaxes it can be had in
 */
export function chooseRepresentation(ranges: readonly AcceptRange[], instances: readonly StoredInstance[], forms: readonly Form[], decodes: Decodes): ChosenRepresentation {
  const offers = forms.flatMap((form) => {
    const syntaxes = syntaxesOf(ranges, instances, form, decodes);
    return syntaxes ? [{ ...form, transferSyntax: syntaxes.get(instances[0]!.transferSyntaxUid)!, syntaxes }] : [];
  });
  const chosen = negotiate(ranges, offers);
  if (!chosen) throw unacceptable(instances, forms, decodes);
  const given = instances.map((instance) => ({ instance, transferSyntaxUid: chosen.syntaxes.get(instance.transferSyntaxUid)! }));
  return { mediaType: chosen.mediaType, given, asStored: given.every(({ instance, transferSyntaxUid }) => instance.transferSyntaxUid === transferSyntaxUid) };
}

/** For each stored transfer syntax the one to give; null when the client takes one of them in no way. */
function syntaxesOf(ranges: readonly AcceptRange[], instances: readonly StoredInstance[], form: Form, decodes: Decodes): Map<string, string> | null {
  const syntaxes = new Map<string, string>();
  for (const stored of new Set(instances.map(({ transferSyntaxUid }) => transferSyntaxUid))) {
    const offer = negotiate(ranges, givenIn(stored, decodes).map((transferSyntax) => ({ ...form, transferSyntax })));
    if (!offer) return null;
    syntaxes.set(stored, offer.transferSyntax);
  }
  return syntaxes;
}

function givenIn(transferSyntaxUid: string, decodes: Decodes): string[] {
  return [transferSyntaxUid, ...WRITTEN_ANEW.filter((wanted) => wanted !== transferSyntaxUid && canSendIn({ transferSyntaxUid }, wanted, decodes))];
}

function unacceptable(instances: readonly StoredInstance[], forms: readonly Form[], decodes: Decodes): DicomWebError {
  const stored = [...new Set(instances.map(({ transferSyntaxUid }) => transferSyntaxUid))];
  const anew = WRITTEN_ANEW.filter((wanted) => stored.every((transferSyntaxUid) => givenIn(transferSyntaxUid, decodes).includes(wanted)));
  const names = forms.map(({ mediaType, partType }) => (partType === undefined ? mediaType : `${mediaType}; type="${partType}"`)).join(' or ');
  const others = anew.length === 0 ? '' : `, or in ${anew.join(' or ')}`;
  return new DicomWebError('unacceptable', `Instances are given as they are stored (${stored.slice(0, MOST_NAMED).join(', ')})${others}: accept ${names} with transfer-syntax=*`);
}
