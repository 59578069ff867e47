// What the catalogue cannot tell now is a shortage of ours: A701, so that the peer asks again.
import { DimseFailure, DimseStatus } from '@perennia/dicom-net';
import { ArchiveError } from '@perennia/errors';

export async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ArchiveError && error.retriable) throw new DimseFailure(DimseStatus.unableToCalculateMatches, 'The catalogue does not answer; try again');
    throw error;
  }
}
