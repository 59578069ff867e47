// The identifier of a query, whole in memory (its size is limited by the network), as DICOM JSON.
import type { DicomJsonDataset } from '@perennia/contracts';
import { CharacterSet, DicomParseError, transferSyntaxOf } from '@perennia/dicom-data';
import { DimseFailure, DimseStatus } from '@perennia/dicom-net';
import { DatasetJsonVisitor, ElementReader, inflateWhole } from '@perennia/dicom-stream';

/** @param defaultCharacterSet where the identifier names none; @throws DimseFailure A900 when it cannot be read */
export function readIdentifier(bytes: Buffer, transferSyntaxUid: string, defaultCharacterSet: string | undefined): DicomJsonDataset {
  const { explicit, bigEndian, deflated } = transferSyntaxOf(transferSyntaxUid);
  const visitor = new DatasetJsonVisitor({}, CharacterSet.of(defaultCharacterSet?.split('\\') ?? []));
  const reader = new ElementReader({ explicit, bigEndian, visitor });
  visitor.attach(reader);
  try {
    reader.push(deflated ? inflateWhole(bytes) : bytes);
    reader.end();
  } catch (error) {
    if (error instanceof DicomParseError) throw new DimseFailure(DimseStatus.identifierDoesNotMatchSopClass, 'The identifier is no readable dataset');
    throw error;
  }
  return visitor.dataset;
}
