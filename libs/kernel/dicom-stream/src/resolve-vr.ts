// Which VR a value has where the dataset does not say: implicit VR, and UN for what the dictionary knows (PS3.5 §6.2.2).
import { isKnownVr, isPrivateTag, lookupTag, type Tag, VR, vrName, type VrCode } from '@perennia/dicom-data';

export function resolveVr(tag: Tag, vr: VrCode, pixelRepresentation: number): string {
  if (vr !== 0 && vr !== VR.UN && isKnownVr(vr)) return vrName(vr);
  if ((tag & 0xffff) === 0) return 'UL';
  // (gggg,0010-00FF) names the owner of a private block (PS3.5 §7.8.1); what the owner put there only he knows.
  if (isPrivateTag(tag)) return (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff ? 'LO' : 'UN';
  const entry = lookupTag(tag);
  if (entry === undefined) return 'UN';
  if (entry.alternatives.length === 1) return entry.vr;
  // PS3.5 §A.1: in implicit VR pixel, overlay and lookup table data are OW; numbers follow Pixel Representation.
  if (entry.alternatives.includes('OW')) return 'OW';
  return pixelRepresentation === 1 ? 'SS' : 'US';
}
