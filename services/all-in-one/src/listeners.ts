// Who listens where, and whether it may: beyond loopback only those who know their peers.
import { createServer } from 'node:net';
import { ConfigurationError } from '@perennia/errors';

export interface Listener {
  /** As in "the DICOM listener". */
  name: string;
  host: string;
  port: number;
  hostVariable: string;
  portVariable: string;
  /** Whether its peers are known: listed sources, or sign-in. */
  peersAreKnown: boolean;
  /** What would make them known. */
  remedy: string;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Listeners open to strangers; they are allowed only by the setting `unsafeListen`. */
export const openListeners = (listeners: readonly Listener[]): Listener[] =>
  listeners.filter((each) => !isLoopback(each.host) && !each.peersAreKnown);

/** @throws ConfigurationError naming the first listener that strangers could reach */
export function assertKnownPeers(listeners: readonly Listener[], unsafeListen: boolean): void {
  const [open] = openListeners(listeners);
  if (!open || unsafeListen) return;
  throw new ConfigurationError(`The ${open.name} would listen on ${open.host}, where strangers could reach patient data without signing in`, {
    remedy: `${open.remedy}, keep ${open.hostVariable} at 127.0.0.1, or accept the danger with VNA_UNSAFE_LISTEN=true`,
  });
}

/** @throws ConfigurationError naming the first port that another program holds */
export async function assertPortsFree(listeners: readonly Listener[]): Promise<void> {
  for (const each of listeners) await assertPortFree(each);
}

function assertPortFree({ name, host, port, hostVariable, portVariable }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      reject(
        new ConfigurationError(inUse ? `Port ${port} on ${host}, wanted by the ${name}, is in use by another program` : `The ${name} cannot listen on ${host}:${port} (${cause.code})`, {
          cause,
          remedy: inUse ? `Stop the other program, or choose another port with ${portVariable}` : `Correct ${hostVariable} or ${portVariable}`,
        }),
      );
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}
