export { FaultInjectedError, faultPoint, mutant } from './fault-point.js';
