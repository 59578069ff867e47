// What the acceptor's tests share: an acceptor on in-memory transports, time moved by hand, a store that remembers.
import { duplexPair } from 'node:stream';
import { type AcceptorEvent, DicomAcceptor, type DicomAcceptorOptions, type StoreSink } from '@perennia/dicom-net';
import { ManualTimerSource } from './manual-timer-source.js';
import { RememberedObject } from './remembered-object.js';
import { ScriptedPeer } from './scripted-peer.js';

export class AcceptorHarness {
  readonly timers = new ManualTimerSource();
  readonly events: AcceptorEvent[] = [];
  readonly objects: RememberedObject[] = [];
  readonly acceptor: DicomAcceptor;
  /** How the sink of the next objects behaves. */
  sinkScript: Partial<Pick<StoreSink, 'write' | 'end'>> = {};

  constructor(over: Partial<DicomAcceptorOptions> = {}) {
    this.acceptor = new DicomAcceptor({
      authorize: () => ({ accept: true, acceptContext: (_, offered) => offered[0] ?? 4 }),
      services: {
        echo: () => 0,
        store: {
          begin: (request) => {
            const object = new RememberedObject(request, this.sinkScript);
            this.objects.push(object);
            return object;
          },
        },
      },
      onEvent: (event) => this.events.push(event),
      timers: this.timers,
      ...over,
    });
  }

  connect(): ScriptedPeer {
    const [ours, theirs] = duplexPair();
    this.acceptor.handleSocket(ours, { address: '192.0.2.1', port: 4242 });
    return new ScriptedPeer(theirs);
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }
}
