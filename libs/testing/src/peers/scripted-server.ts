// The other way round: listens, and plays one script per connection, for tests of requestors.
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ScriptedPeer } from './scripted-peer.js';

export class ScriptedServer {
  private constructor(private readonly server: Server, readonly port: number, private readonly peers: Set<ScriptedPeer>) {}

  static async listen(script: (peer: ScriptedPeer) => Promise<void>): Promise<ScriptedServer> {
    const peers = new Set<ScriptedPeer>();
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const peer = new ScriptedPeer(socket);
      peers.add(peer);
      script(peer).catch(() => peer.vanish());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ScriptedServer(server, (server.address() as AddressInfo).port, peers);
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.transport.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
