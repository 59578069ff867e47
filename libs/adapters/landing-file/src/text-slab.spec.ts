import { describe, expect, it } from '@jest/globals';
import { TextSlab } from './text-slab.js';

describe('TextSlab', () => {
  it('keeps each text as it is, whatever its letters and its length, over many pieces', () => {
    const slab = new TextSlab();
    const texts = Array.from({ length: 400 }, (_, n) => ['', 'x', 'Żaneta ', '山田^太郎 ', '\u{1f9b4}'][n % 5]!.repeat(1 + ((n * 997) % 9000)));
    const kept = texts.map((text) => slab.put(text));
    expect(kept.map((bytes) => bytes.toString())).toEqual(texts);
  });
});
