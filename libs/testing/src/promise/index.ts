// The promise harness by itself: proofs at full size run outside of Jest, whose globals the rest of this library needs.
export { Cluster } from './cluster.js';
export { countedStore, type CountedCase, type CountedResult } from './counted-store.js';
export { FAULT_POINTS, KillRounds, type KillRound } from './kill-rounds.js';
export { PowerCuts, type PowerCut } from './power-cuts.js';
export { Product, type ProductOptions } from './product.js';
