// What an archive answers to a C-FIND for every study it has.
import { Dataset, writeDataset } from '@perennia/dicom-data';
import { DicomRequestor } from '@perennia/dicom-net';
import { DatasetJsonVisitor, ElementReader } from '@perennia/dicom-stream';

const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
const STUDY_INSTANCE_UID = '0020000D';

/** @returns Study Instance UIDs in order. @throws when the answer does not end with success */
export async function foundStudies(port: number): Promise<string[]> {
  const contexts = [{ abstractSyntax: STUDY_ROOT_FIND, transferSyntaxes: [EXPLICIT_LITTLE] }];
  const association = await DicomRequestor.connect({ host: '127.0.0.1', port, callingAet: 'ASKER', calledAet: 'PERENNIA', contexts });
  const identifier = writeDataset(new Dataset().set('QueryRetrieveLevel', 'STUDY').set('StudyInstanceUID', ''), EXPLICIT_LITTLE);
  const search = association.find({ sopClassUid: STUDY_ROOT_FIND, transferSyntaxUid: EXPLICIT_LITTLE, identifier });
  const found: string[] = [];
  for await (const answer of search) found.push(studyOf(answer.identifier));
  await association.release();
  if (search.outcome?.status !== 0) throw new Error(`C-FIND ended with status ${search.outcome?.status.toString(16)}.`);
  return found.toSorted();
}

function studyOf(identifier: Buffer): string {
  const visitor = new DatasetJsonVisitor({});
  const reader = new ElementReader({ explicit: true, bigEndian: false, visitor });
  visitor.attach(reader);
  reader.push(identifier);
  reader.end();
  return String(visitor.dataset[STUDY_INSTANCE_UID]?.Value?.[0]);
}
