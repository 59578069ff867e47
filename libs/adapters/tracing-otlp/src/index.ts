export { OtlpTracing, type OtlpTracingOptions } from './otlp-tracing.js';
export { readHeaders } from './read-headers.js';
