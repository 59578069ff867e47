import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConflictError, StoreFullError } from '@perennia/errors';
import { processIdentity } from '@perennia/storage';
import { DataFolder } from './data-folder.js';

const aFolder = (): string => join(mkdtempSync(join(tmpdir(), 'vna-data-')), 'data');

describe('DataFolder', () => {
  it('given a folder that is not there, when taken, then it is made and locked', () => {
    const path = aFolder();
    const folder = DataFolder.take(path, 0);
    expect(readFileSync(join(path, 'archive.lock'), 'utf8')).toBe(processIdentity());
    expect(readdirSync(path).toSorted()).toEqual(['archive.lock', 'run']);
    folder.release();
    expect(existsSync(join(path, 'archive.lock'))).toBe(false);
  });
  it('given a running owner, when taken again, then it is refused with the process named', () => {
    const path = aFolder();
    DataFolder.take(path, 0);
    expect(() => DataFolder.take(path, 0)).toThrow(ConflictError);
    expect(() => DataFolder.take(path, 0)).toThrow(`process ${process.pid}`);
  });
  it('given the lock of a killed process, also one whose pid is in use again, when taken, then it is taken over', async () => {
    const path = aFolder();
    DataFolder.take(path, 0).release();
    const [pid, , ...rest] = processIdentity().split('.');
    writeFileSync(join(path, 'archive.lock'), [pid, '1', ...rest].join('.'));
    DataFolder.take(path, 0).release();
    const gone = spawn('true');
    await new Promise((resolve) => gone.once('exit', resolve));
    writeFileSync(join(path, 'archive.lock'), `${gone.pid}.77.boot.1`);
    DataFolder.take(path, 0).release();
    expect(readdirSync(path)).toEqual(['run']);
  });
  it('given too little room, when taken, then it is refused with both figures', () => {
    expect(() => DataFolder.take(aFolder(), 2 ** 60)).toThrow(StoreFullError);
    expect(() => DataFolder.take(aFolder(), 2 ** 60)).toThrow(/free, 1048576TiB needed/);
  });
});
