// What a transfer syntax UID says about the bytes of a dataset (PS3.5 Annex A, PS3.6 Table A-1).

export interface TransferSyntax {
  uid: string;
  name: string;
  /** Value representations are written in the dataset. */
  explicit: boolean;
  bigEndian: boolean;
  /** The whole dataset is one raw deflate stream (PS3.5 §A.5). */
  deflated: boolean;
  /** Pixel data is, or may be, a sequence of fragments (PS3.5 §A.4). */
  encapsulated: boolean;
  /** Frames depend on one another; the fragments together are one stream. */
  video: boolean;
  /** The dataset has no pixels but the URL of a JPIP server that has them (PS3.5 §A.6, §A.7), so that it means nothing in a syntax that has them. */
  referenced: boolean;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const ENCAPSULATED_UNCOMPRESSED = '1.2.840.10008.1.2.1.98';

const plain = { explicit: true, bigEndian: false, deflated: false, encapsulated: false, video: false, referenced: false };
const compressed = { ...plain, encapsulated: true };
const video = { ...compressed, video: true };

const table: [string, string, Omit<TransferSyntax, 'uid' | 'name'>][] = [
  [IMPLICIT_VR_LITTLE_ENDIAN, 'Implicit VR Little Endian', { ...plain, explicit: false }],
  [EXPLICIT_VR_LITTLE_ENDIAN, 'Explicit VR Little Endian', plain],
  [ENCAPSULATED_UNCOMPRESSED, 'Encapsulated Uncompressed Explicit VR Little Endian', compressed],
  [DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, 'Deflated Explicit VR Little Endian', { ...plain, deflated: true }],
  [EXPLICIT_VR_BIG_ENDIAN, 'Explicit VR Big Endian', { ...plain, bigEndian: true }],
  ['1.2.840.10008.1.2.4.50', 'JPEG Baseline (Process 1)', compressed],
  ['1.2.840.10008.1.2.4.51', 'JPEG Extended (Process 2 and 4)', compressed],
  ['1.2.840.10008.1.2.4.52', 'JPEG Extended (Process 3 and 5)', compressed],
  ['1.2.840.10008.1.2.4.53', 'JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)', compressed],
  ['1.2.840.10008.1.2.4.55', 'JPEG Full Progression, Non-Hierarchical (Process 10 and 12)', compressed],
  ['1.2.840.10008.1.2.4.57', 'JPEG Lossless, Non-Hierarchical (Process 14)', compressed],
  ['1.2.840.10008.1.2.4.70', 'JPEG Lossless, Non-Hierarchical, First-Order Prediction', compressed],
  ['1.2.840.10008.1.2.4.80', 'JPEG-LS Lossless', compressed],
  ['1.2.840.10008.1.2.4.81', 'JPEG-LS Near-Lossless', compressed],
  ['1.2.840.10008.1.2.4.90', 'JPEG 2000 Lossless', compressed],
  ['1.2.840.10008.1.2.4.91', 'JPEG 2000', compressed],
  ['1.2.840.10008.1.2.4.92', 'JPEG 2000 Part 2 Multi-component Lossless', compressed],
  ['1.2.840.10008.1.2.4.93', 'JPEG 2000 Part 2 Multi-component', compressed],
  ['1.2.840.10008.1.2.4.94', 'JPIP Referenced', { ...plain, referenced: true }],
  ['1.2.840.10008.1.2.4.95', 'JPIP Referenced Deflate', { ...plain, deflated: true, referenced: true }],
  ['1.2.840.10008.1.2.4.100', 'MPEG2 Main Profile / Main Level', video],
  ['1.2.840.10008.1.2.4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', video],
  ['1.2.840.10008.1.2.4.101', 'MPEG2 Main Profile / High Level', video],
  ['1.2.840.10008.1.2.4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', video],
  ['1.2.840.10008.1.2.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1', video],
  ['1.2.840.10008.1.2.4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', video],
  ['1.2.840.10008.1.2.4.103', 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', video],
  ['1.2.840.10008.1.2.4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', video],
  ['1.2.840.10008.1.2.4.104', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video', video],
  ['1.2.840.10008.1.2.4.104.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video', video],
  ['1.2.840.10008.1.2.4.105', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video', video],
  ['1.2.840.10008.1.2.4.105.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video', video],
  ['1.2.840.10008.1.2.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', video],
  ['1.2.840.10008.1.2.4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', video],
  ['1.2.840.10008.1.2.4.107', 'HEVC/H.265 Main Profile / Level 5.1', video],
  ['1.2.840.10008.1.2.4.108', 'HEVC/H.265 Main 10 Profile / Level 5.1', video],
  ['1.2.840.10008.1.2.4.110', 'JPEG XL Lossless', compressed],
  ['1.2.840.10008.1.2.4.111', 'JPEG XL JPEG Recompression', compressed],
  ['1.2.840.10008.1.2.4.112', 'JPEG XL', compressed],
  ['1.2.840.10008.1.2.4.201', 'High-Throughput JPEG 2000 Lossless', compressed],
  ['1.2.840.10008.1.2.4.202', 'High-Throughput JPEG 2000 with RPCL Options Lossless', compressed],
  ['1.2.840.10008.1.2.4.203', 'High-Throughput JPEG 2000', compressed],
  ['1.2.840.10008.1.2.4.204', 'JPIP HTJ2K Referenced', { ...plain, referenced: true }],
  ['1.2.840.10008.1.2.4.205', 'JPIP HTJ2K Referenced Deflate', { ...plain, deflated: true, referenced: true }],
  ['1.2.840.10008.1.2.5', 'RLE Lossless', compressed],
  // Each frame is deflated by itself; the dataset around it is plain.
  ['1.2.840.10008.1.2.8.1', 'Deflated Image Frame Compression', compressed],
];
const byUid = new Map<string, TransferSyntax>(table.map(([uid, name, rest]) => [uid, { uid, name, ...rest }]));

/**
 * The transfer syntax of a UID. An unknown one (private, or newer than this program) is read as explicit VR little endian
 * with encapsulated pixel data allowed, as PS3.5 §A.4 prescribes for every compressed one.
 */
export function transferSyntaxOf(uid: string): TransferSyntax {
  return byUid.get(uid) ?? { uid, name: 'Unknown', ...compressed };
}

/** Whether the UID is of the table. */
export function isKnownTransferSyntax(uid: string): boolean {
  return byUid.has(uid);
}
