// One address before several servers, as a load balancer of the fourth layer does it: each connection goes to the next server that accepts it.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export class TcpBalancer {
  private next = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targets: readonly number[],
  ) {
    server.on('connection', (socket) => this.forward(socket));
  }

  /** @param targets ports on loopback */
  static async start(targets: readonly number[]): Promise<TcpBalancer> {
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    const balancer = new TcpBalancer(server, targets);
    await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
    return balancer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private forward(client: Socket, tried = 0): void {
    this.track(client);
    if (tried === this.targets.length) return void client.destroy();
    const target = connect({ port: this.targets[this.next++ % this.targets.length]!, host: '127.0.0.1', noDelay: true });
    this.track(target);
    target.once('connect', () => {
      target.off('error', retry);
      for (const [one, other] of [[client, target], [target, client]] as const) one.on('error', () => other.destroy()).once('close', () => other.destroySoon());
      client.pipe(target).pipe(client);
    });
    const retry = (): void => this.forward(client, tried + 1);
    target.once('error', retry);
  }

  private track(socket: Socket): void {
    if (this.sockets.has(socket)) return;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
