import { describe, expect, it } from '@jest/globals';
import type { StoredInstance } from '@perennia/egress';
import { chooseSyntax, proposalsFor } from './choose-syntax.js';

const [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, JPEG] = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.4.70'];
const VIDEO = '1.2.840.10008.1.2.4.102';
const instance = (transferSyntaxUid: string, sopClassUid = '1.2.3'): StoredInstance => ({ transferSyntaxUid, sopClassUid }) as StoredInstance;
const decodes = (each: string): boolean => each === JPEG;
const chosen = (stored: string, ...accepted: string[]): string | undefined => chooseSyntax(instance(stored), (each) => accepted.includes(each), decodes);

describe('D21 the syntax an object is sent in', () => {
  it('is the stored one wherever the peer takes it', () => {
    expect(chosen(IMPLICIT, EXPLICIT, IMPLICIT)).toBe(IMPLICIT);
    expect(chosen(JPEG, EXPLICIT, JPEG)).toBe(JPEG);
    expect(chosen(BIG_ENDIAN, EXPLICIT, BIG_ENDIAN)).toBe(BIG_ENDIAN);
  });
  it('is another uncompressed one where the stored one is uncompressed too', () => {
    expect([chosen(BIG_ENDIAN, IMPLICIT, EXPLICIT), chosen(EXPLICIT, IMPLICIT), chosen(DEFLATED, IMPLICIT), chosen(DEFLATED, EXPLICIT)]).toEqual([EXPLICIT, IMPLICIT, IMPLICIT, EXPLICIT]);
  });
  it('is an uncompressed one where the pixels can be decoded, and none where they cannot', () => {
    expect(chosen(JPEG, IMPLICIT, EXPLICIT)).toBe(EXPLICIT);
    expect(chosen(VIDEO, EXPLICIT, IMPLICIT)).toBeUndefined();
    expect(chosen(JPEG, BIG_ENDIAN)).toBeUndefined();
  });
});

describe('the contexts proposed to a destination', () => {
  it('are one for each syntax, so that each is answered', () => {
    const [batch] = [...proposalsFor([instance(BIG_ENDIAN), instance(VIDEO), instance(VIDEO)], 128, decodes)];
    expect(batch!.contexts.map(({ transferSyntaxes }) => transferSyntaxes)).toEqual([[BIG_ENDIAN], [EXPLICIT], [IMPLICIT], [VIDEO]]);
    expect(batch!.instances).toHaveLength(3);
  });
  it('are those of another association where they are more than fit', () => {
    const many = Array.from({ length: 100 }, (_, number) => instance(EXPLICIT, `1.2.${number}`));
    const batches = [...proposalsFor(many, 128, decodes)];
    expect(batches.map(({ contexts, instances }) => [contexts.length, instances.length])).toEqual([[128, 64], [72, 36]]);
  });
});
