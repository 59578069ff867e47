export { cloneTemplateDatabase, type TestDatabase, type TestDatabaseOptions } from './database/template-database.js';
export { sharedTestServer } from './database/shared-test-server.js';
export { part10, type Part10Object, type Part10Options } from './builders/part10.js';
export { instanceReceived, receipt, receivedEnvelope, seededReceiptId, type ReceiptOptions } from './builders/receipt.js';
export { seededUid } from './builders/seeded-uid.js';
export { baselineCheckout, baselines, type Baseline } from './backends/baselines.js';
export { KAFKA_PASSWORD, KAFKA_USER, KafkaBroker, type KafkaSecurity } from './backends/kafka-broker.js';
export { s3Request, s3RequestOrThrow, type S3Access, type S3Answer, type S3Request } from './backends/s3-request.js';
export { S3Server, type S3BucketOptions } from './backends/s3-server.js';
export { corpusDirectory, dcmtkTool, hasBackend, type Backend } from './required-backend.js';
export { PromiseChecker, type CheckReport } from './promise/checker.js';
export { FAULT_POINTS, KillRounds, type KillRound } from './promise/kill-rounds.js';
export { Ledger, type LedgerEntry } from './promise/ledger.js';
export { PowerCuts, type PowerCut } from './promise/power-cuts.js';
export { freePort, Product, type ProductOptions } from './promise/product.js';
export { PromiseSender, stow } from './promise/sender.js';
export { syntheticObject, type SyntheticObject } from './promise/synthetic-object.js';
export { eventLogContract, type EventLogHarness, type StuckMember } from './contracts/event-log.contract.js';
export { MemoryEventLog, MemoryLogStore } from './fakes/memory-event-log.js';
export { startStuckMember } from './child-process/start-stuck-member.js';
export { spawnSource } from './child-process/spawn-source.js';
export { part10Of, writePart10 } from './promise/write-part10.js';
export { generateCatalogue, generatedUid, type GeneratedCatalogueOptions } from './builders/generated-catalogue.js';
export { LargeObject, type LargeObjectOptions } from './promise/large-object.js';
export { damageBytes, holdsBytes } from './promise/damage.js';
export { objectStoreContract, type ObjectStoreHarness } from './contracts/object-store.contract.js';
export { allRecords, landingContract, type LandingHarness } from './contracts/landing.contract.js';
export { MemoryObjectStore } from './fakes/memory-object-store.js';
export { AcceptorHarness } from './peers/acceptor-harness.js';
export { ManualTimerSource } from './peers/manual-timer-source.js';
export {
  CT_IMAGE_STORAGE, ECHO_CONTEXT, EXPLICIT_LITTLE, IMPLICIT_LITTLE, RAW_ABORT, RAW_RELEASE_RP, RAW_RELEASE_RQ, rawAssociateRq, rawCommand,
  rawData, rawEchoRq, rawElement, rawItem, rawPdu, rawPdv, rawStore, rawStoreRq, STORE_CONTEXT, VERIFICATION, type RawAssociateRq, type RawContext,
} from './peers/raw-pdu.js';
export { RememberedObject } from './peers/remembered-object.js';
export { ScriptedPeer, type ReceivedPdu, type ReceivedResponse } from './peers/scripted-peer.js';
export { ScriptedServer } from './peers/scripted-server.js';
export { failingShare, HttpFaultProxy, type FaultPlan, type HttpFault, type SeenRequest } from './peers/http-fault-proxy.js';
export { settle } from './peers/settle.js';
