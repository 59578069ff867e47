// Instances as one ZIP (PS3.18 §8.7.3.5.2 application/zip), sent as they are read.
import { MultipartWriter, ZipWriter } from '@perennia/dicom-web';
import { transferSyntaxOf } from '@perennia/dicom-data';
import type { GiveInstances, StoredInstance } from '@perennia/egress';
import type { FastifyReply } from 'fastify';
import type { SentInstances } from './part10-answers.js';
import { streamAnswer } from './stream-answer.js';

export const ZIP_FORM = { mediaType: 'application/zip' };
/** A dataset that is written anew has longer headers; how much longer is not known before. */
const MOST_GROWTH = 3;

/** Decoded pixels may be any number of times as many bytes as those they are stored in. */
const mostBytes = ({ objectLength, transferSyntaxUid }: StoredInstance): number => (transferSyntaxOf(transferSyntaxUid).encapsulated ? Infinity : objectLength * MOST_GROWTH);

export class ZipAnswer {
  constructor(
    private readonly give: GiveInstances,
    private readonly tenantId: string,
  ) {}

  /** @param names within the ZIP, by the instances' ids @param fileName what a browser saves it as */
  send(reply: FastifyReply, { given, etag }: SentInstances, names: ReadonlyMap<string, string>, fileName: string): Promise<void> {
    const headers = { 'content-type': ZIP_FORM.mediaType, 'content-disposition': `attachment; filename="${fileName}"`, etag };
    return streamAnswer(reply, { headers }, async (sink) => {
      const zip = new ZipWriter();
      const writer = new MultipartWriter(sink, '');
      let isOpen = false;
      for await (const pieces of this.give.pieces(given, this.tenantId)) {
        const buffers: Buffer[] = [];
        for (const { instance, offset, bytes } of pieces) {
          if (offset === 0) {
            if (isOpen) buffers.push(zip.end());
            buffers.push(zip.begin(names.get(instance.id)!, mostBytes(instance)));
            isOpen = true;
          }
          buffers.push(zip.data(bytes));
        }
        await writer.write(buffers);
      }
      await writer.write([...(isOpen ? [zip.end()] : []), zip.finish()]);
      sink.end();
    });
  }
}
