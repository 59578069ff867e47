export { AcceptorHarness } from './acceptor-harness.js';
export { ManualTimerSource } from './manual-timer-source.js';
export {
  CT_IMAGE_STORAGE, ECHO_CONTEXT, EXPLICIT_LITTLE, IMPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RP, RAW_RELEASE_RQ, rawAssociateRq, rawCommand,
  rawData, rawEchoRq, rawElement, rawItem, rawPdu, rawPdv, rawStore, rawStoreRq, STORE_CONTEXT, VERIFICATION, type RawAssociateRq, type RawContext,
} from './raw-pdu.js';
export { RememberedObject } from './remembered-object.js';
export { ScriptedPeer, type ReceivedPdu, type ReceivedResponse } from './scripted-peer.js';
export { ScriptedServer } from './scripted-server.js';
export { settle } from './settle.js';
