import { expect, it } from '@jest/globals';
import { SystemClock } from '@perennia/telemetry';
import { WARM_UP_OBJECTS, warmUp } from './warm-up.js';

it('the warm-up takes the way of an object that is stored, each time', async () => {
  expect(await warmUp(new SystemClock())).toBe(WARM_UP_OBJECTS);
});
