export { RetrieveConfig } from './retrieve.config.js';
export { RetrieveModule } from './retrieve.module.js';
