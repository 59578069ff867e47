export { AssociationExchange, NO_EXCHANGE, type GivenAssociation } from './association-exchange.js';
export { AssociationTraces } from './association-traces.js';
export { DimseModule } from './dimse.module.js';
export { DimseListener, type DimseListenerParts, type ListenerSettings, type OfferedServices, type OpenAssociation } from './dimse-listener.js';
export { ListenerMetrics } from './listener-metrics.js';
export { senderSession, type SenderSession } from './sender-session.js';
export { acceptStorage, isStorageClass } from './storage-contexts.js';
export { StoreHandler } from './store.handler.js';
