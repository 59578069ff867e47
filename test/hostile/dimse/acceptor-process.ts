// The acceptor alone in a process, so that memory and descriptors measured from outside are its own. Answers by IPC.
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DicomAcceptor } from '@perennia/dicom-net';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const acceptor = new DicomAcceptor({
  aeTitles: ['PERENNIA'],
  authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
  services: {
    echo: () => 0,
    store: { begin: () => ({ write: () => undefined, end: () => ({ status: 0 }), abort: () => undefined }) },
  },
});

function measure() {
  collectGarbage();
  const status = readFileSync('/proc/self/status', 'utf8');
  const kibibytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]);
  const { heapUsed, external } = process.memoryUsage();
  return {
    peakBytes: kibibytes('VmHWM') * 1024,
    virtualBytes: kibibytes('VmSize') * 1024,
    heapBytes: heapUsed + external,
    descriptors: readdirSync('/proc/self/fd').length,
    associations: [...acceptor.associations].length,
  };
}

export type Measurement = ReturnType<typeof measure>;

process.on('message', () => process.send?.(measure()));
const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port });
