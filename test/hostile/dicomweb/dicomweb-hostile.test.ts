// Hostile requests to the DICOMweb server, with the figures of reliability-security §1.2: what is refused, how soon, and that
// others are served meanwhile.
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { part10, seededUid } from '@perennia/testing';
import { WebArchive } from '../../blackbox/dicomweb/web-archive.js';

let archive: WebArchive;
const good = part10({ studyInstanceUid: seededUid('hostile-study'), seriesInstanceUid: seededUid('hostile-series'), sopInstanceUid: seededUid('hostile-instance') });

beforeAll(async () => {
  // An idle connection is closed later than an upload is given up, as by default: else some are closed before they are told.
  archive = await WebArchive.start({ headersTimeout: '500ms', bodyIdleTimeout: '2s', writeIdleTimeout: '4s' });
  expect((await archive.stow([good.bytes])).status).toBe(200);
}, 60_000);
afterAll(() => archive?.stop());

/** Sends the text (and more, piece by piece) and gives what came back until the server closed, with the time it took. */
function raw(first: string | Buffer, drip?: { text: string; everyMs: number }): Promise<{ answer: string; ms: number }> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let answer = '';
    const socket = connect(archive.port, '127.0.0.1', () => socket.write(first));
    const timer = drip && setInterval(() => socket.write(drip.text), drip.everyMs);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1'))).on('error', () => undefined).on('close', () => {
      clearInterval(timer);
      resolve({ answer, ms: performance.now() - startedMs });
    });
  });
}
const post = (headers: string, body = ''): string => `POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/related; type="application/dicom"; boundary=b\r\n${headers}\r\n\r\n${body}`;

async function stillServes(): Promise<void> {
  expect((await archive.get(`/studies?StudyInstanceUID=${good.values.studyInstanceUid}`)).status).toBe(200);
}

describe('hostile HTTP', () => {
  it('endless headers are refused at 16 KiB', async () => {
    const { answer, ms } = await raw(`GET /dicom-web/studies HTTP/1.1\r\nHost: x\r\n${'X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
    expect(ms).toBeLessThan(2000);
    await stillServes();
  });
  it('headers that never end are given up', async () => {
    const { answer, ms } = await raw('GET /dicom-web/studies HTTP/1.1\r\nHost: x\r\n', { text: 'X: y\r\n', everyMs: 50 });
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(ms).toBeLessThan(4000);
  });
  it('a Content-Length of 4 GiB followed by silence allocates nothing and is given up', async () => {
    const before = process.memoryUsage.rss();
    const answers = await Promise.all(Array.from({ length: 50 }, () => raw(post('Content-Length: 4294967295', '--b\r\nContent-Type: application/dicom\r\n\r\n'))));
    for (const { answer, ms } of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 408/);
      // After 900 ms, by default, however long other uploads may pause.
      expect(ms).toBeLessThan(1000 + 50 * answers.length);
    }
    expect(Math.min(...answers.map(({ ms }) => ms))).toBeLessThan(1100);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    await stillServes();
  });
  it('500 uploads that drip are given up while others are served', async () => {
    const drips = Promise.all(Array.from({ length: 500 }, () => raw(post('Content-Length: 1000000', '--b\r\n'))));
    const times: number[] = [];
    for (let count = 0; count < 20; count++) {
      const startedMs = performance.now();
      await stillServes();
      times.push(performance.now() - startedMs);
    }
    expect((await drips).every(({ answer }) => answer.startsWith('HTTP/1.1 408'))).toBe(true);
    expect(times.toSorted((left, right) => left - right)[10]).toBeLessThan(1000);
  });
  it.each(['Content-Length: 5\r\nContent-Length: 6', 'Content-Length: -1', 'Content-Length: 5\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked, chunked'])('lying lengths are refused: %j', async (headers) => {
    expect((await raw(post(`${headers}\r\nConnection: close`, 'abcde'))).answer).toMatch(/^HTTP\/1\.1 4\d\d/);
  });
  it('TLS hello and DICOM on the HTTP port are refused', async () => {
    for (const bytes of [Buffer.from('16030100a5010000a10303', 'hex'), Buffer.from('0100000000cd0001', 'hex')]) {
      const { answer, ms } = await raw(bytes);
      expect(answer).toMatch(/^(HTTP\/1\.1 400|$)/);
      expect(ms).toBeLessThan(3000);
    }
  });
  it.each([['gzip', gzipSync(Buffer.alloc(1 << 20))], ['br', brotliCompressSync(Buffer.alloc(1 << 20))]])('bodies in %s are refused unread', async (coding, body) => {
    expect((await archive.stow([body], '/studies', { 'content-encoding': coding })).status).toBe(415);
  });
});

describe('hostile multipart', () => {
  it.each<[string, number, string]>([
    ['no parts', 400, '--b--\r\n'],
    ['no boundary in it', 400, 'just text'],
    ['no final boundary', 400, '--b\r\n\r\nabc'],
    ['10,001 parts', 413, '--b\r\nContent-Type: text/plain\r\n\r\n\r\n'.repeat(10_001) + '--b--'],
    ['a header of 1 MiB', 413, `--b\r\nX: ${'a'.repeat(1 << 20)}\r\n\r\nx\r\n--b--`],
    ['a malformed header', 400, '--b\r\nno colon here\r\n\r\nx\r\n--b--'],
  ])('%s: %d', async (_, status, body) => {
    const response = await fetch(`${archive.root}/studies`, { method: 'POST', body, headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' } });
    expect(response.status).toBe(status);
    await stillServes();
  });
  it('a body that breaks off stores the parts before and says so', async () => {
    const object = part10({ studyInstanceUid: seededUid('broken'), seriesInstanceUid: seededUid('broken-s'), sopInstanceUid: seededUid('broken-i') });
    const body = Buffer.concat([Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n'), object.bytes, Buffer.from('\r\n--b\r\n\r\nhalf')]);
    const response = await fetch(`${archive.root}/studies`, { method: 'POST', body, headers: { 'content-type': 'multipart/related; type="application/dicom"; boundary=b' } });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toMatch(/1 parts before were stored/);
  });
});

describe('hostile names and values', () => {
  const filesBefore = (): string[] => readdirSync(archive.directory, { recursive: true }).map(String);
  it.each(['../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%2e%2e', '1.2;id', '1.2%00', `1.${'2'.repeat(64)}`, 'CON', '..%5c..', '１.２', "1' or '1'='1", '$(id)', '01.2', '1..2'])('a UID of %j selects nothing and touches no file', async (uid) => {
    const files = filesBefore().length;
    for (const path of [`/studies/${uid}`, `/studies/${uid}/metadata`, `/studies/1.2/series/${uid}/instances`, `/studies/1.2/series/1.3/instances/${uid}/frames/1`, `/studies/1.2/series/1.3/instances/1.4/bulkdata/${uid}`]) {
      // Dot segments are already gone when the client sends the path: then it names another resource, without anything in it.
      expect((await archive.get(path)).status).not.toBe(200);
      expect((await archive.get(path)).status).toBeLessThan(500);
    }
    expect(filesBefore()).toHaveLength(files);
  });
  it.each(["'", '"', '\\', '%', '_', ';drop table imaging.study;--', '$1', '{}', '*?'.repeat(8), '\u0000', '‮', '👩🏽‍⚕️', 'a'.repeat(4000)])('the value %j is only a value', async (value) => {
    for (const key of ['PatientName', 'PatientID', 'AccessionNumber', 'StudyDescription', 'ModalitiesInStudy', 'RequestAttributesSequence.ScheduledProcedureStepID']) {
      const startedMs = performance.now();
      const level = key.startsWith('Request') ? 'series' : 'studies';
      const response = await archive.get(`/${level}?${key}=${encodeURIComponent(value)}`);
      expect([200, 204, 400]).toContain(response.status);
      expect(await response.text()).not.toMatch(/sql|syntax error|relation|imaging\./i);
      expect(performance.now() - startedMs).toBeLessThan(1000);
    }
  });
  it.each(['__proto__=1', 'constructor=1', 'includefield=__proto__', 'toString=1', `PatientID=${'*'.repeat(1000)}`, `PatientName=${'*a'.repeat(1000)}`, 'limit=99999999999', 'offset=-1', `cursor=${'A'.repeat(5000)}`])('%s is understood or refused at once', async (query) => {
    const response = await archive.get(`/studies?${query}`);
    expect([200, 204, 400]).toContain(response.status);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
  it('markup in stored values comes back as JSON and nothing else', async () => {
    const object = part10({ studyInstanceUid: seededUid('markup'), seriesInstanceUid: seededUid('markup-s'), sopInstanceUid: seededUid('markup-i'), patientName: '<script>alert("1")</script>\\^', patientId: '"},{"x":"' });
    expect((await archive.stow([object.bytes])).status).toBe(200);
    const response = await archive.get(`/studies?StudyInstanceUID=${seededUid('markup')}`);
    expect(response.headers.get('content-type')).toBe('application/dicom+json');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(((await response.json()) as Record<string, { Value: unknown[] }>[])[0]!['00100020']!.Value).toEqual(['"},{"x":"']);
  });
  it('nothing of patients is in the log', () => {
    const log = archive.logLines.join('\n');
    for (const canary of ['DOE^JANE', 'PAT-1', 'ACC-1', '<script>']) expect(log).not.toContain(canary);
  });

  it.each(['MZ\x90\0', '\x7fELF', '#!/bin/sh\n', '%PDF-1.7', '<html>', 'PK\x03\x04'])('an image that also is a program (%j) is stored, and served without the program', async (head) => {
    const values = { studyInstanceUid: seededUid(`polyglot-study-${head}`), seriesInstanceUid: seededUid(`polyglot-series-${head}`), sopInstanceUid: seededUid(`polyglot-${head}`) };
    const { bytes } = part10(values);
    const polyglot = Buffer.from(bytes);
    polyglot.write(head, 0, 'latin1');
    const stored = await archive.stow([polyglot]);
    expect(stored.status).toBe(200);
    expect(stored.headers.get('warning')).toContain('served as zeros');
    const url = `/studies/${values.studyInstanceUid}/series/${values.seriesInstanceUid}/instances/${values.sopInstanceUid}`;
    const served = await archive.get(url, { accept: 'application/dicom; transfer-syntax=*' });
    expect(served.headers.get('x-content-type-options')).toBe('nosniff');
    expect(served.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(Buffer.from(await served.arrayBuffer()).equals(bytes)).toBe(true);
  });
});
