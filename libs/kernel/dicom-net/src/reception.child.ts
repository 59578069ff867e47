// A process that has the port, and hands associations with another called AE title over to its parent. Told to close, it does so and ends.
import type { Socket } from 'node:net';
import { type AcceptorEvent, DicomAcceptor } from './index.js';

export type SaidByReception = { port: number } | { head: string } | { event: AcceptorEvent };

const say = (message: SaidByReception, socket?: Socket): void => void process.send?.(message, socket);
const acceptor = new DicomAcceptor({
  authorize: async ({ calledAet }) => {
    if (calledAet === 'HERE') return { accept: true, acceptContext: (_, offered) => offered[0] ?? 4 };
    return { accept: 'elsewhere', handOver: ({ socket, head }) => say({ head: head.toString('base64') }, socket) };
  },
  services: { echo: () => 0 },
  onEvent: (event) => say({ event }),
});

process.on('message', () => void acceptor.close({ graceMs: 60_000 }).then(() => process.disconnect()));
const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 });
say({ port });
