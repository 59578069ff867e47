export { Clock, SystemClock } from './clock.js';
export { createLogger, type Logger } from './logger.js';
export { Metrics } from './metrics.js';
