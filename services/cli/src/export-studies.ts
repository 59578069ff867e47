// Studies as plain DICOM files: DIR/<study>/<series>/<instance>.dcm, byte for byte as they were received, through WADO-RS.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MultipartReader, parseMultipartContentType } from '@perennia/dicom-web';
import { CorruptDataError, NotFoundError, UnavailableError } from '@perennia/errors';

export interface ExportedStudy {
  studyInstanceUid: string;
  files: number;
  bytes: number;
}
interface InstanceUids {
  series: string;
  instance: string;
}

const PAGE = 1000;
const UID = /^[0-9.]{1,64}$/;
const AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*';

export class StudyExporter {
  /** @param base the DICOMweb root, ending in a slash */
  constructor(
    private readonly base: URL,
    private readonly connections: number,
  ) {}

  /** @throws NotFoundError, UnavailableError; a file that is there under its name is complete */
  async export(studyInstanceUid: string, directory: string): Promise<ExportedStudy> {
    const instances = this.#instances(studyInstanceUid);
    const result = { studyInstanceUid, files: 0, bytes: 0 };
    const work = async (): Promise<void> => {
      for (let next = await instances.next(); !next.done; next = await instances.next()) {
        const bytes = await this.#write(studyInstanceUid, next.value, directory);
        result.bytes += bytes;
        result.files += 1;
      }
    };
    await Promise.all(Array.from({ length: this.connections }, work));
    if (result.files === 0) throw new NotFoundError(`The archive holds no study ${studyInstanceUid}`);
    return result;
  }

  async *#instances(study: string): AsyncGenerator<InstanceUids> {
    for (let offset = 0; ; offset += PAGE) {
      const response = await this.#get(`studies/${study}/instances?limit=${PAGE}&offset=${offset}`, 'application/dicom+json');
      const page = response.status === 204 ? [] : ((await response.json()) as Record<string, { Value?: string[] }>[]);
      for (const entry of page) yield { series: uidOf(entry, '0020000E'), instance: uidOf(entry, '00080018') };
      if (page.length < PAGE) return;
    }
  }

  async #write(study: string, { series, instance }: InstanceUids, directory: string): Promise<number> {
    const folder = join(directory, study, series);
    const temporary = join(folder, `.${instance}.part`);
    const response = await this.#get(`studies/${study}/series/${series}/instances/${instance}`, AS_STORED);
    await mkdir(folder, { recursive: true });
    try {
      const file = createWriteStream(temporary, { flush: true });
      await pipeline(onlyPart(response), file);
      await rename(temporary, join(folder, `${instance}.dcm`));
      return file.bytesWritten;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #get(path: string, accept: string): Promise<Response> {
    const response = await fetch(new URL(path, this.base), { headers: { accept } });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) throw new NotFoundError(`The archive does not hold ${path.split('?')[0]}`);
    throw new UnavailableError(`The archive answered ${response.status} for ${path.split('?')[0]}`, { remedy: 'Look at "npx vna doctor"' });
  }
}

/** UIDs become names of files: nothing but digits and dots gets that far. */
function uidOf(entry: Record<string, { Value?: string[] }>, tag: string): string {
  const uid = entry[tag]?.Value?.[0] ?? '';
  if (!UID.test(uid)) throw new CorruptDataError(`The archive gave a wrong UID in ${tag}`);
  return uid;
}

async function* onlyPart(response: Response): AsyncGenerator<Buffer> {
  const multipart = parseMultipartContentType(response.headers.get('content-type') ?? '');
  if (!multipart) throw new CorruptDataError('The archive did not answer with parts');
  const reader = new MultipartReader(multipart.boundary);
  for await (const chunk of Readable.fromWeb(response.body as never) as AsyncIterable<Uint8Array>) {
    for (const event of reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) if (event.kind === 'data') yield event.chunk;
  }
  for (const event of reader.finish()) if (event.kind === 'data') yield event.chunk;
}
