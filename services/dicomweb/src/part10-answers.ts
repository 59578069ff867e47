// Answers that carry Part 10 objects (PS3.18 §8.7.3.5, §8.6.1.2): one by itself or several in multipart/related, sent as they are read. What is given as
// stored says its length beforehand.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { instancePath, MultipartWriter } from '@perennia/dicom-web';
import { GiveInstances, type GivenInstance } from '@perennia/egress';
import type { FastifyReply } from 'fastify';
import { streamAnswer } from './stream-answer.js';

export interface SentInstances {
  given: readonly GivenInstance[];
  asStored: boolean;
  etag: string;
}

export class Part10Answers {
  constructor(
    private readonly give: GiveInstances,
    private readonly tenantId: string,
  ) {}

  /** The first of them. */
  single(reply: FastifyReply, { given, asStored, etag }: SentInstances): Promise<void> {
    const { instance, transferSyntaxUid } = given[0]!;
    const headers = {
      'content-type': `application/dicom; transfer-syntax=${transferSyntaxUid}`,
      ...(asStored ? { 'content-length': instance.objectLength } : {}),
      'content-disposition': `attachment; filename="${instance.sopInstanceUid}.dcm"`,
      etag,
    };
    return streamAnswer(reply, { headers }, (sink) => this.write(new MultipartWriter(sink, ''), sink, given.slice(0, 1), null));
  }

  /** @param base URL of the service, for the Content-Location of each part */
  multipart(reply: FastifyReply, { given, asStored, etag }: SentInstances, base: string): Promise<void> {
    const boundary = randomBytes(18).toString('hex');
    const headersOf = ({ instance: { studyInstanceUid, seriesInstanceUid, sopInstanceUid }, transferSyntaxUid }: GivenInstance): string[] => [
      `Content-Type: application/dicom; transfer-syntax=${transferSyntaxUid}`,
      `Content-Location: ${base}${instancePath(studyInstanceUid, seriesInstanceUid, sopInstanceUid)}`,
    ];
    const lengthOf = (): number => given.reduce((sum, { instance }) => sum + instance.objectLength, MultipartWriter.framingBytes(boundary, given.map((each) => ({ headers: headersOf(each) }))));
    const headers = {
      'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
      ...(asStored ? { 'content-length': lengthOf() } : {}),
      etag,
    };
    return streamAnswer(reply, { headers }, (sink) => this.write(new MultipartWriter(sink, boundary), sink, given, headersOf));
  }

  /** Everything that one read brought goes out as one write. */
  private async write(writer: MultipartWriter, sink: ServerResponse, given: readonly GivenInstance[], headersOf: ((given: GivenInstance) => string[]) | null): Promise<void> {
    let begun = 0;
    for await (const pieces of this.give.pieces(given, this.tenantId)) {
      const buffers: Buffer[] = [];
      for (const { offset, bytes } of pieces) {
        if (offset === 0 && headersOf) buffers.push(writer.beginPart({ headers: headersOf(given[begun++]!) }));
        buffers.push(bytes);
      }
      await writer.write(buffers);
    }
    if (headersOf) writer.end();
    else sink.end();
  }
}
