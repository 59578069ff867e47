// The parts of a multipart/related answer.
import { MultipartReader, parseMultipartContentType } from '@perennia/dicom-web';

export interface AnswerPart {
  headers: Record<string, string>;
  body: Buffer;
}

export async function answerParts(response: Response): Promise<AnswerPart[]> {
  const { boundary } = parseMultipartContentType(response.headers.get('content-type')!)!;
  const found: AnswerPart[] = [];
  const reader = new MultipartReader(boundary);
  const whole = Buffer.from(await response.arrayBuffer());
  for (const event of [...reader.push(whole), ...reader.finish()]) {
    if (event.kind === 'part') found.push({ headers: Object.fromEntries(event.headers), body: Buffer.alloc(0) });
    else if (event.kind === 'data') found.at(-1)!.body = Buffer.concat([found.at(-1)!.body, event.chunk]);
  }
  return found;
}
