export { isAeTitle } from './ae-title.js';
export { checkRemoteNode } from './check-remote-node.js';
export { NodeDirectory, type NodeDirectoryOptions } from './node-directory.js';
export { type NodeVerification, type RefusedContext, type StageResult, type VerificationStage } from './node-verification.js';
export { openNodeTransport, type NodeTransportOptions } from './open-node-transport.js';
export { permitsMove } from './permits-move.js';
export { REMOTE_NODE_DEFAULTS, type RemoteNode, type RemoteNodeSettings } from './remote-node.js';
export { verifyNode, type VerificationOptions, type VerifiedNode } from './verify-node.js';
