import { mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@perennia/errors';
import { DATA_FORMAT } from './data-format.js';
import { DataFolder } from './data-folder.js';

const aFolder = (): string => mkdtempSync(join(tmpdir(), 'vna-format-'));
const writeFormat = (path: string, text: string): void => writeFileSync(join(path, 'format.json'), text);

describe('the format of the data folder', () => {
  it('given a new folder, or one from before there were formats, when marked, then it says the format and the release that wrote it', () => {
    const path = aFolder();
    const folder = DataFolder.take(path, 0);
    expect(readdirSync(path)).not.toContain('format.json');
    folder.markFormat();
    expect(JSON.parse(readFileSync(join(path, 'format.json'), 'utf8'))).toEqual({ format: DATA_FORMAT, release: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    expect(readdirSync(path)).not.toContain('format.json.new');
    folder.release();
  });

  it('given a folder of today, when marked again, then the file is not touched', () => {
    const path = aFolder();
    const folder = DataFolder.take(path, 0);
    folder.markFormat();
    const before = statSync(join(path, 'format.json'), { bigint: true });
    folder.markFormat();
    expect(statSync(join(path, 'format.json'), { bigint: true })).toMatchObject({ ino: before.ino, mtimeNs: before.mtimeNs });
  });

  it('given a folder that a newer release has made, when taken, then it is refused with both formats, and nothing is changed', () => {
    const path = aFolder();
    writeFormat(path, JSON.stringify({ format: DATA_FORMAT + 1, release: '7.8.9' }));
    const before = statSync(path, { bigint: true }).mtimeNs;
    expect(() => DataFolder.take(path, 0)).toThrow(ConfigurationError);
    expect(() => DataFolder.take(path, 0)).toThrow(`has format ${DATA_FORMAT + 1}, made by release 7.8.9; this release (`);
    expect(readdirSync(path)).toEqual(['format.json']);
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(before);
  });

  it.each(['', '{"format":1', '{"format":"1","release":"0.1.0"}', '{"format":0,"release":"0.1.0"}', '[]', '{}'])('given a file that says %j, when taken, then it is refused', (text) => {
    const path = aFolder();
    writeFormat(path, text);
    expect(() => DataFolder.take(path, 0)).toThrow('does not say which format the data folder has');
  });
});
