export { FileLanding, type RecoverySummary } from './file-landing.js';
export { LandingFileReader } from './landing-file-reader.js';
export type { DiskLevelName } from './disk-level.js';
export { LandingDisk } from './landing-disk.js';
export { type LandingDamage, type LandingOptions } from './landing-options.js';
