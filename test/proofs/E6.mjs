// E6: receipts that the database refuses, on Kafka; the same in every run.
import { proveByTest } from './run-jest.mjs';

proveByTest('test/faults/kafka.test.ts', {}, 'the database refuses');
