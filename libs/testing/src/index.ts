export { cloneTemplateDatabase, type TestDatabase, type TestDatabaseOptions } from './database/template-database.js';
export { sharedTestServer } from './database/shared-test-server.js';
