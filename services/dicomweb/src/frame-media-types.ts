// The media type of one frame in each transfer syntax (PS3.18 Tables 8.7.3-2 to 8.7.3-5).

const NATIVE = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'];
const jpeg = '1.2.840.10008.1.2.4.';

const COMPRESSED: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10008.1.2.5', 'image/dicom-rle'],
  ...['50', '51', '53', '55', '57', '70'].map((last): [string, string] => [jpeg + last, 'image/jpeg']),
  ...['80', '81'].map((last): [string, string] => [jpeg + last, 'image/jls']),
  ...['90', '91'].map((last): [string, string] => [jpeg + last, 'image/jp2']),
  ...['92', '93'].map((last): [string, string] => [jpeg + last, 'image/jpx']),
  ...['100', '100.1', '101', '101.1'].map((last): [string, string] => [jpeg + last, 'video/mpeg']),
  ...['102', '102.1', '103', '103.1', '104', '104.1', '105', '105.1', '106', '106.1'].map((last): [string, string] => [jpeg + last, 'video/mp4']),
  ...['107', '108'].map((last): [string, string] => [jpeg + last, 'video/h265']),
  ...['110', '111', '112'].map((last): [string, string] => [jpeg + last, 'image/jxl']),
  ...['201', '202', '203'].map((last): [string, string] => [jpeg + last, 'image/jphc']),
]);

/** What `application/octet-stream` without a transfer syntax means: not compressed. Given out in little endian always. */
export const OCTET_STREAM_SYNTAXES: readonly string[] = NATIVE;

/** Media types of a frame, the preferred one first; any syntax may also travel as octets when the client names it. */
export function frameMediaTypes(transferSyntaxUid: string): string[] {
  const own = COMPRESSED.get(transferSyntaxUid);
  return own === undefined ? ['application/octet-stream'] : [own, 'application/octet-stream'];
}
