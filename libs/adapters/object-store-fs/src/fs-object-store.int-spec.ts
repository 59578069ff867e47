import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotFoundError, StoreFullError, UnavailableError } from '@perennia/errors';
import { PackWriter, packKey, packedReceipt, processIdentity, workKey } from '@perennia/storage';
import { objectStoreContract, part10, receipt } from '@perennia/testing';
import { FsObjectStore } from './fs-object-store.js';
import { objectPath, temporaryName } from './object-path.js';

const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((each) => (each.isFile() ? [each.name] : []));
const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'object-store-'));

objectStoreContract('FsObjectStore', async () => {
  const directory = makeFolder();
  const store = await FsObjectStore.open({ directory, stagingBuffers: 3 });
  return {
    store,
    close: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describe('FsObjectStore on its folder', () => {
  let directory: string;
  let store: FsObjectStore;

  beforeEach(async () => {
    directory = makeFolder();
    store = await FsObjectStore.open({ directory });
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it('removes what killed writers left, and nothing else', async () => {
    const { folder } = objectPath(directory, workKey('a'));
    const dead = temporaryName(processIdentity().replace(/^\d+\.\d+/, '999999.1'), 'left');
    const living = temporaryName(processIdentity(), 'in-use');
    for (const name of [dead, living]) writeFileSync(join(folder, name), 'x');
    const writer = await store.create(workKey('b'));
    await writer.write(Buffer.from('kept'));
    await writer.commit();
    const again = await FsObjectStore.open({ directory });
    await again.whenClean();
    expect(existsSync(join(folder, dead))).toBe(false);
    expect(existsSync(join(folder, living))).toBe(true);
    expect((await again.read(workKey('b'), 0, 4)).toString()).toBe('kept');
  });

  it('leaves no temporary file after commit, abort and a lost race', async () => {
    const [first, second, third] = await Promise.all([store.create(workKey('c')), store.create(workKey('c')), store.create(workKey('d'))]);
    for (const writer of [first, second, third]) await writer.write(Buffer.alloc(10));
    await first.commit();
    await expect(second.commit()).rejects.toThrow();
    await third.abort();
    expect(filesIn(join(directory, 'work'))).toEqual(['c']);
  });

  it('does not follow a symbolic link', async () => {
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'secret');
    symlinkSync(secret, objectPath(directory, workKey('link')).file);
    await expect(store.read(workKey('link'), 0, 6)).rejects.toBeInstanceOf(UnavailableError);
    expect(await store.head(workKey('link'))).toBeNull();
    await expect(store.read(workKey('nothing'), 0, 6)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('writes packs that the independent reader reads', async () => {
    const python = spawnSync('python3', ['--version']);
    if (python.status !== 0) {
      process.stderr.write('SKIPPING the independent pack reader: python3 is not on this machine.\n');
      return;
    }
    const key = packKey('default', '1.2.840.1', 'pack-1');
    const pack = new PackWriter(await store.create(key));
    const objects = Array.from({ length: 4 }, (_, n) => part10({ instanceNumber: n, pixelBytes: 70_000 * n + 2, patientName: 'Grün^Jürgen' }));
    for (const object of objects) await pack.add(packedReceipt(receipt({}, object)), [object.bytes]);
    const { entries } = await pack.commit();
    const reader = join(import.meta.dirname, '../../../../tools/pack-reader.py');
    const { file } = objectPath(directory, key);
    const read = spawnSync('python3', [reader, '--verify', file], { encoding: 'utf8' });
    expect({ status: read.status, stderr: read.stderr }).toEqual({ status: 0, stderr: '' });
    const lines = read.stdout.trimEnd().split('\n').map((line) => line.trimEnd());
    expect(lines).toEqual(entries.map((entry) => `${entry.sopInstanceUid} ${entry.offset} ${entry.length} ${entry.objectSha256}`));
    const damaged = join(directory, 'damaged.pack');
    const bytes = Buffer.from(await store.read(key, 0, (await store.head(key))!.sizeBytes));
    bytes[entries[1]!.offset + 2000]! ^= 1;
    writeFileSync(damaged, bytes);
    const found = spawnSync('python3', [reader, '--verify', damaged], { encoding: 'utf8' });
    expect(found.status).toBe(1);
    expect(found.stdout.match(/DAMAGED/g)).toHaveLength(1);
  });
});

describe('FsObjectStore on a full disk', () => {
  const folder = join(tmpdir(), `object-store-full-${process.pid}`);
  const mounted = process.getuid?.() === 0 && (mkdirSync(folder, { recursive: true }), spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]).status === 0);
  if (!mounted) process.stderr.write('SKIPPING the full disk: no right to mount a tmpfs here.\n');
  const run = mounted ? it : it.skip;

  run('refuses, leaves nothing, and goes on when there is room again', async () => {
    try {
      const store = await FsObjectStore.open({ directory: folder });
      const small = await store.create(workKey('small'));
      await small.write(Buffer.alloc(5_000_000, 1));
      await small.commit();
      const large = await store.create(workKey('large'));
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 40; n += 1) await large.write(Buffer.alloc(1_000_000, 2));
        await large.commit();
      };
      await expect(fill()).rejects.toBeInstanceOf(StoreFullError);
      await large.abort();
      expect(await store.head(workKey('large'))).toBeNull();
      const another = await store.create(workKey('another'));
      await another.write(Buffer.alloc(5_000_000, 3));
      await another.commit();
      expect((await store.read(workKey('small'), 0, 5_000_000)).every((value) => value === 1)).toBe(true);
      await store.close();
    } finally {
      spawnSync('umount', [folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
