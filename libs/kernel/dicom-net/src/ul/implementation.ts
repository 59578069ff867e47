// How we name ourselves in associations (PS3.7 §D.3.3.2). The UID is derived from a UUID (PS3.5 §B.2): no root is needed.
import type { Implementation } from './negotiation.js';

export const IMPLEMENTATION: Implementation = {
  classUid: '2.25.269735214926811427563084617023891475620',
  version: 'PERENNIA_0_1',
};
