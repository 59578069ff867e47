// Settings under which everything that takes minutes in a hospital happens in seconds: small segments that are filled, filed,
// released and used again while a test looks on.
export const quickArchive: Record<string, string> = {
  VNA_LIFECYCLE_SETTLE: '1s',
  VNA_LANDING_SEGMENT_SIZE: '16MiB',
  VNA_LANDING_SEGMENTS: '6',
  VNA_LANDING_RECYCLE_GRACE: '1s',
  VNA_LANDING_RESERVE: '0B',
  VNA_MINIMUM_FREE: '0B',
  VNA_LOG_LEVEL: 'warn',
};
