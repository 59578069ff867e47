// Value representations (PS3.5 §6.2) as numbers of their two letters: compared on every element of every object.

/** The two letters of a value representation: first << 8 | second. 0: not known (implicit VR). */
export type VrCode = number;

export function vrCode(name: string): VrCode {
  return (name.charCodeAt(0) << 8) | name.charCodeAt(1);
}

/** The two letters of a code; `UN` for 0 and for what are no letters. */
export function vrName(code: VrCode): string {
  return names.get(code) ?? 'UN';
}


const shortForm = ['AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'PN', 'SH', 'SL', 'SS', 'ST', 'TM', 'UI', 'UL', 'US'];
const longForm = ['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'];
const names = new Map<VrCode, string>([...shortForm, ...longForm].map((name) => [vrCode(name), name]));
const longCodes = new Set(longForm.map(vrCode));
const shortCodes = new Set(shortForm.map(vrCode));

export function isKnownVr(code: VrCode): boolean {
  return names.has(code);
}

/**
 * Whether an explicit element of this VR has two reserved bytes and a 32-bit length (PS3.5 §7.1.2). A VR of the future has
 * the long form too; what are no letters at all (blanks are met in practice) has the short one, as DCMTK reads it.
 */
export function hasLongForm(code: VrCode): boolean {
  if (shortCodes.has(code)) return false;
  return longCodes.has(code) || (isLetter(code >> 8) && isLetter(code & 0xff));
}
function isLetter(c: number): boolean {
  return c >= 0x41 && c <= 0x5a;
}

/** Bytes of one number of a VR with numbers of fixed size (also inside O? values, for their byte order); 1 for all others. */
export function unitBytes(vr: string): number {
  return units[vr] ?? 1;
}
const units: Readonly<Record<string, number>> = { AT: 2, FD: 8, FL: 4, OD: 8, OF: 4, OL: 4, OV: 8, OW: 2, SL: 4, SS: 2, SV: 8, UL: 4, US: 2, UV: 8 };

export const VR = {
  AT: vrCode('AT'), LO: vrCode('LO'), OB: vrCode('OB'), OW: vrCode('OW'), PN: vrCode('PN'), SQ: vrCode('SQ'), UI: vrCode('UI'),
  UL: vrCode('UL'), UN: vrCode('UN'), US: vrCode('US'),
} as const;
