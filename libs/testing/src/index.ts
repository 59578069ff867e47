export { cloneTemplateDatabase, type TestDatabase, type TestDatabaseOptions } from './database/template-database.js';
export { sharedTestServer } from './database/shared-test-server.js';
export { part10, type Part10Object, type Part10Options } from './builders/part10.js';
export { instanceReceived, receipt, receivedEnvelope, seededReceiptId, type ReceiptOptions } from './builders/receipt.js';
export { seededUid } from './builders/seeded-uid.js';
