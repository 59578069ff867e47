// Shares one batch between the partitions of a member: a busy partition gets what the quiet ones leave.

export interface PartitionBacklog {
  partition: number;
  nextOffset: number;
  endOffset: number;
}
export interface ReadRange {
  partition: number;
  firstOffset: number;
  records: number;
}

/** Ranges with at most `maxRecords` records together, in the order of `backlogs`; empty ones left out. */
export function planRead(backlogs: readonly PartitionBacklog[], maxRecords: number): ReadRange[] {
  const quota = new Map<number, number>();
  let left = maxRecords;
  const waiting = backlogs.map((backlog) => ({ ...backlog, pending: backlog.endOffset - backlog.nextOffset })).filter(({ pending }) => pending > 0);
  const ascending = waiting.toSorted((a, b) => a.pending - b.pending);
  ascending.forEach(({ partition, pending }, done) => {
    const records = Math.min(pending, Math.ceil(left / (ascending.length - done)));
    quota.set(partition, records);
    left -= records;
  });
  return waiting
    .map(({ partition, nextOffset }) => ({ partition, firstOffset: nextOffset, records: quota.get(partition)! }))
    .filter(({ records }) => records > 0);
}

/** How many partitions a member of a group may own. */
export function fairShare(partitions: number, members: number): number {
  return Math.ceil(partitions / Math.max(1, members));
}
