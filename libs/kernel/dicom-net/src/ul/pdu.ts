// PDU types and header sizes of the upper layer (PS3.8 §9.3).

export const PduType = {
  associateRq: 0x01,
  associateAc: 0x02,
  associateRj: 0x03,
  pDataTf: 0x04,
  releaseRq: 0x05,
  releaseRp: 0x06,
  abort: 0x07,
} as const;

/** Type, reserved, length (PS3.8 §9.3.1). */
export const PDU_HEADER_BYTES = 6;
/** Item length, presentation context id, message control header (PS3.8 §9.3.5.1 and Annex E.2). */
export const PDV_HEADER_BYTES = 6;

/** Message control header bits (PS3.8 Annex E.2). */
export const COMMAND_FRAGMENT = 0x01;
export const LAST_FRAGMENT = 0x02;
