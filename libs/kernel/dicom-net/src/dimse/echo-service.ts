// The seam of C-ECHO (PS3.7 §9.1.5): returns the status to answer, success unless it says otherwise.
import type { RequestOrigin } from './request-origin.js';

export type EchoService = (request: RequestOrigin) => number | Promise<number>;
