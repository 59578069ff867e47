import { describe, expect, it } from '@jest/globals';
import { ConflictError, CorruptDataError, IllegalStateError, StoreFullError, UnavailableError } from '@perennia/errors';
import { Refusal } from './refusal.js';

describe('Refusal', () => {
  it.each([
    ['a landing area without room', new StoreFullError('full'), 'STORE_FULL'],
    ['a store that does not answer', new UnavailableError('away'), 'STORE_UNAVAILABLE'],
    ['a landing area that another process has taken over', new ConflictError('taken over'), 'STORE_UNAVAILABLE'],
    ['a store that kept something else', new CorruptDataError('other bytes'), 'STORE_UNAVAILABLE'],
  ])('given %s, then the sender is told to try again (A700)', (_, error, reasonCode) => {
    const refusal = Refusal.of(error);
    expect(refusal.outcome({})).toMatchObject({ reasonCode, dimseStatus: 0xa700, message: expect.stringContaining('Send it again later') });
  });

  it('given a defect of ours, then nothing of our insides is told', () => {
    for (const error of [new TypeError('x is undefined'), new IllegalStateError('closed')]) {
      expect(Refusal.of(error).outcome({})).toMatchObject({ reasonCode: 'INTERNAL', message: expect.not.stringContaining(error.message) });
    }
  });
});
