import { objectStoreContract } from '../contracts/object-store.contract.js';
import { MemoryObjectStore } from './memory-object-store.js';

objectStoreContract('MemoryObjectStore', async () => ({ store: new MemoryObjectStore(), close: async () => {} }));
