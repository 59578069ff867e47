// What a WADO-URI request asks for (PS3.18 §9.1.2, §9.4): one instance, by query parameters.
import { isValidUid } from '@perennia/dicom-data';
import { DicomWebError, parseAccept, splitQuery, type AcceptRange } from '@perennia/dicom-web';

export interface WadoUriRequest {
  studyInstanceUid: string;
  seriesInstanceUid: string;
  sopInstanceUid: string;
  /** Of `contentType`, or of the Accept header where that is absent; each with what `transferSyntax` says. */
  ranges: AcceptRange[];
}

const DICOM = 'application/dicom';

/**
 * @param query what follows the question mark, still encoded
 * @param accept the header
 * @throws DicomWebError: `syntax` where a parameter is missing, repeated or wrong, or asks for what is not done; `unacceptable` where nothing but
 * rendered images is taken
 */
export function parseWadoUri(query: string, accept: string | undefined): WadoUriRequest {
  const parameters = parametersOf(query);
  if (parameters.get('requestType') !== 'WADO') throw new DicomWebError('syntax', 'requestType must be WADO');
  // Names of patients in what was to be without them would be worse than no answer.
  if (parameters.has('anonymize')) throw new DicomWebError('syntax', 'Instances are given as they are; anonymize is not supported');
  const uid = (name: string): string => {
    const text = parameters.get(name);
    if (text === undefined || !isValidUid(text)) throw new DicomWebError('syntax', `${name} must be a UID`);
    return text;
  };
  return { studyInstanceUid: uid('studyUID'), seriesInstanceUid: uid('seriesUID'), sopInstanceUid: uid('objectUID'), ranges: rangesOf(parameters, accept) };
}

function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of splitQuery(query)) {
    if (parameters.has(name)) throw new DicomWebError('syntax', 'A query parameter is given twice');
    parameters.set(name, value);
  }
  return parameters;
}

/** Without contentType an image is meant (PS3.18 §9.4.1.2), so that Accept has to name application/dicom itself. */
function rangesOf(parameters: ReadonlyMap<string, string>, accept: string | undefined): AcceptRange[] {
  const transferSyntax = parameters.get('transferSyntax');
  if (transferSyntax !== undefined && transferSyntax !== '*' && !isValidUid(transferSyntax)) throw new DicomWebError('syntax', 'transferSyntax must be a UID or *');
  const taken = parseAccept(parameters.get('contentType') ?? accept).filter(({ mediaType, quality }) => mediaType === DICOM && quality > 0);
  if (taken.length === 0) throw new DicomWebError('unacceptable', `Instances are given as ${DICOM} only, not as rendered images: ask for contentType=${DICOM}`);
  return taken.map((range) => ({ ...range, transferSyntax: transferSyntax ?? range.transferSyntax ?? '*' }));
}
