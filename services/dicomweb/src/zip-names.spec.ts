import { describe, expect, it } from '@jest/globals';
import type { StoredInstance, StoredSeries } from '@perennia/egress';
import { zipNames } from './zip-names.js';

const series = (seriesInstanceUid: string): StoredSeries => ({ seriesInstanceUid }) as StoredSeries;
const instance = (id: string, seriesInstanceUid: string, sopInstanceUid = `1.4.${id}`, studyInstanceUid = '1.2'): StoredInstance => ({ id, studyInstanceUid, seriesInstanceUid, sopInstanceUid }) as StoredInstance;

describe('zipNames', () => {
  it('W12 numbers series and the instances of each in their order', () => {
    const names = zipNames([series('1.3.9'), series('1.3.1')], [instance('7', '1.3.1'), instance('8', '1.3.9'), instance('9', '1.3.1')]);
    expect([...names]).toEqual([['7', '1.2/series-002/00001-1.4.7.dcm'], ['8', '1.2/series-001/00001-1.4.8.dcm'], ['9', '1.2/series-002/00002-1.4.9.dcm']]);
  });
  it('W12 never leaves the folder, whatever was received as a UID', () => {
    const [name] = zipNames([series('1.3')], [instance('1', '1.3', '../../etc/x\\y', '..')]).values();
    expect(name!.split('/').some((part) => part === '..' || part === '.')).toBe(false);
    expect(name).toMatch(/^[\w./-]+$/);
  });
});
