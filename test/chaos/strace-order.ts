// Reads a trace of `strace -f -y -xx`: which C-STORE responses left while bytes of a landing segment were written but not yet synced.

/** `pid name(fd<path>, …) = result`, or its two halves `<unfinished ...>` and `<... name resumed>`. */
const whole = /^(\d+)\s+(\w+)\((\d+)<([^>]*)>/;
const resumed = /^(\d+)\s+<\.\.\. (\w+) resumed>/;

/** A P-DATA PDU that holds a C-STORE-RSP command: command field (0000,0100) = 8001H. */
const STORE_RESPONSE = /\\x00\\x00\\x00\\x01\\x02\\x00\\x00\\x00\\x01\\x80/;

/**
 * Success is early when a segment has been written to since its last completed fdatasync began. Writes and syncs run on the
 * thread pool, so that a call counts from its return, and a sync covers only what had returned before it began.
 */
export function orderOfAcknowledgements(trace: string): { acknowledged: number; early: number } {
  const running = new Map<string, { name: string; path: string; covers: number }>();
  let written = 0;
  let synced = 0;
  let acknowledged = 0;
  let early = 0;
  const finish = (name: string, path: string, covers: number): void => {
    if (!isLanding(path)) return;
    if (name === 'fdatasync' || name === 'fsync') synced = Math.max(synced, covers);
    else written += 1;
  };
  for (const line of trace.split('\n')) {
    const begun = whole.exec(line);
    if (begun) {
      const [, pid, name, , path] = begun as unknown as [string, string, string, string, string];
      const target = unescapePath(path);
      if (STORE_RESPONSE.test(line) && target.startsWith('socket')) {
        acknowledged += 1;
        if (written > synced || written < acknowledged) early += 1;
      } else if (line.includes('<unfinished')) running.set(pid, { name, path: target, covers: written });
      else finish(name, target, written);
      continue;
    }
    const ended = resumed.exec(line);
    const call = ended ? running.get(ended[1]!) : undefined;
    if (call) {
      running.delete(ended![1]!);
      finish(call.name, call.path, call.covers);
    }
  }
  return { acknowledged, early };
}

/** The files records are written to; others are prepared beside them under temporary names. */
function isLanding(path: string): boolean {
  return /\/landing\/[^/]+\/(seg|stream)-\d+$/.test(path);
}
/** strace -xx writes paths of -y plainly or in hex, by version. */
function unescapePath(path: string): string {
  return path.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
