export { isAeTitle } from './ae-title.js';
export { checkRemoteNode } from './check-remote-node.js';
export { NodeDirectory, type NodeDirectoryOptions } from './node-directory.js';
export { permitsMove } from './permits-move.js';
export { REMOTE_NODE_DEFAULTS, type RemoteNode, type RemoteNodeSettings } from './remote-node.js';
