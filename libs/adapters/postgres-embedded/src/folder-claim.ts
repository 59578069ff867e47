// One launcher per data folder. The claim is an abstract Unix socket: the kernel frees it when its owner dies, however it
// dies, so that there is no stale lock file to judge.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { ConflictError } from '@perennia/errors';

export class FolderClaim {
  private constructor(private readonly server: Server) {}

  /** @param folder its real path; @throws ConflictError while another live process holds the claim */
  static async take(folder: string): Promise<FolderClaim> {
    const server = createServer((socket) => socket.destroy());
    const name = `\0perennia-postgres-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new ConflictError(`The database folder ${folder} is in use by another running instance.`, { cause, remedy: 'Stop the other instance, or choose another data folder.' }),
        ),
      );
      server.listen(name, resolve);
    });
    server.unref();
    return new FolderClaim(server);
  }

  release(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
