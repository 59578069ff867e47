// Answers as XML of the Native DICOM Model: one dataset to a part of multipart/related (PS3.18 §8.7.3.3, PS3.19 §A.1).
import { randomBytes } from 'node:crypto';
import type { DicomJsonDataset } from '@perennia/contracts';
import { nativeModelXml } from '@perennia/dicom-data';
import { MultipartWriter } from '@perennia/dicom-web';
import type { FastifyReply } from 'fastify';
import { streamAnswer } from './stream-answer.js';

export const XML_FORM = { mediaType: 'multipart/related', partType: 'application/dicom+xml' };
const PART = { headers: ['Content-Type: application/dicom+xml'] };
/** Datasets that are written at once. */
const GROUP = 16;

/** @param texts DICOM JSON objects, several to a text, separated by commas; a comma may stand before the first */
export function streamXml(reply: FastifyReply, headers: Record<string, string>, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const boundary = randomBytes(18).toString('hex');
  const type = `multipart/related; type="${XML_FORM.partType}"; boundary=${boundary}`;
  return streamAnswer(reply, { headers: { ...headers, 'content-type': type } }, async (sink) => {
    const writer = new MultipartWriter(sink, boundary);
    for await (const text of texts) {
      const datasets = JSON.parse(`[${text.startsWith(',') ? text.slice(1) : text}]`) as DicomJsonDataset[];
      for (let at = 0; at < datasets.length; at += GROUP) {
        await writer.write(datasets.slice(at, at + GROUP).flatMap((dataset) => [writer.beginPart(PART), Buffer.from(nativeModelXml(dataset))]));
      }
    }
    writer.end();
  });
}
