export { FaultInjectedError, faultPoint, isTestBuild, mutant } from './fault-point.js';
