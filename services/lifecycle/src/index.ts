export { LifecycleConfig } from './lifecycle.config.js';
export { LifecycleModule } from './lifecycle.module.js';
export { Quarantine } from './filing/quarantine.js';
export { VERIFY_QUEUE, VerifyStudy, type VerifiedStudy, type VerifyPayload } from './jobs/verify-study.js';
