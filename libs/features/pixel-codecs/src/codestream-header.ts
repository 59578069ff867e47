// One shape for the headers of all codestreams, to be held against the Image Pixel Module.
/** What a codestream says about itself before its first sample. */
export interface CodestreamHeader {
  rows: number;
  columns: number;
  components: number;
  /** Bits of a sample. */
  precision: number;
}
