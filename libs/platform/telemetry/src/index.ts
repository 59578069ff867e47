export { Clock, SystemClock } from './clock.js';
export { errorForLog } from './error-for-log.js';
export { HealthRegistry, type HealthCheck, type HealthReport } from './health-registry.js';
export { HealthServer } from './health-server.js';
export { AppLogger, createLogger, type Logger, type LoggerOptions } from './logger.js';
export { Metrics } from './metrics.js';
export { WakeUp } from './wake-up.js';
