export { CodecPool, type CodecPoolOptions, type TranscodedFrame } from './codec-pool.js';
export { CodecTimeoutError } from './codec-timeout-error.js';
export { CodestreamError } from './codestream-error.js';
export { ENCODED_TRANSFER_SYNTAXES, pixelEncodingOf, type CodecName, type PixelEncoding } from './pixel-encoding.js';
export { PixelDecoding, type DecodingPlan } from './pixel-decoding.js';
export { nativeFrameBytes, pixelModuleOf, type PixelModule } from './pixel-module.js';
export { planTranscode, type TranscodePlan } from './transcode-plan.js';
export { UnsupportedTransferSyntaxError } from './unsupported-transfer-syntax-error.js';
