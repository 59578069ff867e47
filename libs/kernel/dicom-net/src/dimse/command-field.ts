// Command Field values (PS3.7 §E.1) of the operations we know by name. Responses have bit 15 set.

export const CommandField = {
  cStoreRq: 0x0001,
  cStoreRsp: 0x8001,
  cGetRq: 0x0010,
  cGetRsp: 0x8010,
  cFindRq: 0x0020,
  cFindRsp: 0x8020,
  cMoveRq: 0x0021,
  cMoveRsp: 0x8021,
  cEchoRq: 0x0030,
  cEchoRsp: 0x8030,
  nEventReportRq: 0x0100,
  nEventReportRsp: 0x8100,
  nActionRq: 0x0130,
  nActionRsp: 0x8130,
  cCancelRq: 0x0fff,
} as const;

export const RESPONSE_BIT = 0x8000;
/** Command Data Set Type when no dataset follows (PS3.7 §E.1). */
export const NO_DATASET = 0x0101;
/** Any other value says that one follows. */
export const DATASET_FOLLOWS = 0x0000;
