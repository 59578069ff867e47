// The upper layer protocol as data: PS3.8 §9.2, Table 9-10 with every cell, and what each action does (Tables 9-6 to 9-9).
// Nothing here touches a socket. A blank cell is an event that cannot happen in that state: a defect, so it throws.

export type StateName =
  | 'Sta1' | 'Sta2' | 'Sta3' | 'Sta4' | 'Sta5' | 'Sta6' | 'Sta7' | 'Sta8' | 'Sta9' | 'Sta10' | 'Sta11' | 'Sta12' | 'Sta13';
export type EventName =
  | 'Evt1' | 'Evt2' | 'Evt3' | 'Evt4' | 'Evt5' | 'Evt6' | 'Evt7' | 'Evt8' | 'Evt9' | 'Evt10'
  | 'Evt11' | 'Evt12' | 'Evt13' | 'Evt14' | 'Evt15' | 'Evt16' | 'Evt17' | 'Evt18' | 'Evt19';
export type ActionName =
  | 'AE-1' | 'AE-2' | 'AE-3' | 'AE-4' | 'AE-5' | 'AE-6' | 'AE-7' | 'AE-8' | 'DT-1' | 'DT-2'
  | 'AR-1' | 'AR-2' | 'AR-3' | 'AR-4' | 'AR-5' | 'AR-6' | 'AR-7' | 'AR-8' | 'AR-9' | 'AR-10'
  | 'AA-1' | 'AA-2' | 'AA-3' | 'AA-4' | 'AA-5' | 'AA-6' | 'AA-7' | 'AA-8';
export type Role = 'requestor' | 'acceptor';

export const STATES: readonly StateName[] = [
  'Sta1', 'Sta2', 'Sta3', 'Sta4', 'Sta5', 'Sta6', 'Sta7', 'Sta8', 'Sta9', 'Sta10', 'Sta11', 'Sta12', 'Sta13',
];

/** Events of the table by what they mean; the values are the labels of PS3.8 §9.2.1. */
export const Evt = {
  associateRequestLocal: 'Evt1',
  transportConnected: 'Evt2',
  associateAcReceived: 'Evt3',
  associateRjReceived: 'Evt4',
  transportIndication: 'Evt5',
  associateRqReceived: 'Evt6',
  acceptLocal: 'Evt7',
  rejectLocal: 'Evt8',
  pDataLocal: 'Evt9',
  pDataReceived: 'Evt10',
  releaseRequestLocal: 'Evt11',
  releaseRqReceived: 'Evt12',
  releaseRpReceived: 'Evt13',
  releaseResponseLocal: 'Evt14',
  abortLocal: 'Evt15',
  abortReceived: 'Evt16',
  transportClosed: 'Evt17',
  artimExpired: 'Evt18',
  invalidPduReceived: 'Evt19',
} as const satisfies Record<string, EventName>;

type Cell = ActionName | '';
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

/** Table 9-10. Columns are Sta1 to Sta13; '' is a blank cell of the table. */
export const TRANSITIONS: Readonly<Record<EventName, Row>> = {
  // Sta:  1       2       3       4       5       6       7       8       9       10       11      12      13
  Evt1: ['AE-1', '', '', '', '', '', '', '', '', '', '', '', ''],
  Evt2: ['', '', '', 'AE-2', '', '', '', '', '', '', '', '', ''],
  Evt3: ['', 'AA-1', 'AA-8', '', 'AE-3', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-6'],
  Evt4: ['', 'AA-1', 'AA-8', '', 'AE-4', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-6'],
  Evt5: ['AE-5', '', '', '', '', '', '', '', '', '', '', '', ''],
  Evt6: ['', 'AE-6', 'AA-8', '', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-7'],
  Evt7: ['', '', 'AE-7', '', '', '', '', '', '', '', '', '', ''],
  Evt8: ['', '', 'AE-8', '', '', '', '', '', '', '', '', '', ''],
  Evt9: ['', '', '', '', '', 'DT-1', '', 'AR-7', '', '', '', '', ''],
  Evt10: ['', 'AA-1', 'AA-8', '', 'AA-8', 'DT-2', 'AR-6', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-6'],
  Evt11: ['', '', '', '', '', 'AR-1', '', '', '', '', '', '', ''],
  Evt12: ['', 'AA-1', 'AA-8', '', 'AA-8', 'AR-2', 'AR-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-6'],
  Evt13: ['', 'AA-1', 'AA-8', '', 'AA-8', 'AA-8', 'AR-3', 'AA-8', 'AA-8', 'AR-10', 'AR-3', 'AA-8', 'AA-6'],
  Evt14: ['', '', '', '', '', '', '', 'AR-4', 'AR-9', '', '', 'AR-4', ''],
  Evt15: ['', '', 'AA-1', 'AA-2', 'AA-1', 'AA-1', 'AA-1', 'AA-1', 'AA-1', 'AA-1', 'AA-1', 'AA-1', ''],
  Evt16: ['', 'AA-2', 'AA-3', '', 'AA-3', 'AA-3', 'AA-3', 'AA-3', 'AA-3', 'AA-3', 'AA-3', 'AA-3', 'AA-2'],
  Evt17: ['', 'AA-5', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AA-4', 'AR-5'],
  Evt18: ['', 'AA-2', '', '', '', '', '', '', '', '', '', '', 'AA-2'],
  Evt19: ['', 'AA-1', 'AA-8', '', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-8', 'AA-7'],
};

/** The effects actions are made of. `send` and `indicate` act on what came with the event. */
export type Effect = 'connect' | 'send' | 'sendAbort' | 'indicate' | 'indicateAbort' | 'startArtim' | 'stopArtim' | 'close';

interface ActionRow {
  readonly effects: readonly Effect[];
  readonly next: StateName;
  /** Where the next state depends on our role (AR-8) or on the request being acceptable to the provider (AE-6). */
  readonly otherwise?: { readonly effects: readonly Effect[]; readonly next: StateName };
}

/** Tables 9-6 to 9-9. AE-5's transport response is the accepted socket itself; DT-2 and AR-6 indicate fragment by fragment. */
export const ACTIONS: Readonly<Record<ActionName, ActionRow>> = {
  'AE-1': { effects: ['connect'], next: 'Sta4' },
  'AE-2': { effects: ['send'], next: 'Sta5' },
  'AE-3': { effects: ['indicate'], next: 'Sta6' },
  'AE-4': { effects: ['indicate', 'close'], next: 'Sta1' },
  'AE-5': { effects: ['startArtim'], next: 'Sta2' },
  'AE-6': { effects: ['stopArtim', 'indicate'], next: 'Sta3', otherwise: { effects: ['stopArtim', 'send', 'startArtim'], next: 'Sta13' } },
  'AE-7': { effects: ['send'], next: 'Sta6' },
  'AE-8': { effects: ['send', 'startArtim'], next: 'Sta13' },
  'DT-1': { effects: ['send'], next: 'Sta6' },
  'DT-2': { effects: ['indicate'], next: 'Sta6' },
  'AR-1': { effects: ['send'], next: 'Sta7' },
  'AR-2': { effects: ['indicate'], next: 'Sta8' },
  'AR-3': { effects: ['indicate', 'close'], next: 'Sta1' },
  'AR-4': { effects: ['send', 'startArtim'], next: 'Sta13' },
  'AR-5': { effects: ['stopArtim'], next: 'Sta1' },
  'AR-6': { effects: ['indicate'], next: 'Sta7' },
  'AR-7': { effects: ['send'], next: 'Sta8' },
  'AR-8': { effects: ['indicate'], next: 'Sta9', otherwise: { effects: ['indicate'], next: 'Sta10' } },
  'AR-9': { effects: ['send'], next: 'Sta11' },
  'AR-10': { effects: ['indicate'], next: 'Sta12' },
  'AA-1': { effects: ['sendAbort', 'startArtim'], next: 'Sta13' },
  'AA-2': { effects: ['stopArtim', 'close'], next: 'Sta1' },
  'AA-3': { effects: ['indicateAbort', 'close'], next: 'Sta1' },
  'AA-4': { effects: ['indicateAbort'], next: 'Sta1' },
  'AA-5': { effects: ['stopArtim'], next: 'Sta1' },
  'AA-6': { effects: [], next: 'Sta13' },
  'AA-7': { effects: ['sendAbort'], next: 'Sta13' },
  'AA-8': { effects: ['sendAbort', 'indicateAbort', 'startArtim'], next: 'Sta13' },
};

export interface Transition {
  readonly action: ActionName;
  readonly effects: readonly Effect[];
}

export class StateMachine {
  #state: StateName = 'Sta1';
  #column = 0;

  constructor(readonly role: Role) {}

  get state(): StateName {
    return this.#state;
  }

  /** Whether the table has a cell for this event now. */
  allows(event: EventName): boolean {
    return TRANSITIONS[event][this.#column] !== '';
  }

  /** Moves to the next state and says what is to be done. `acceptable` matters for AE-6 only. */
  fire(event: EventName, acceptable = true): Transition {
    const action = TRANSITIONS[event][this.#column] as Cell;
    if (action === '') throw new Error(`PS3.8 Table 9-10 has no action for ${event} in ${this.#state}`);
    const row = ACTIONS[action];
    const main = action === 'AE-6' ? acceptable : action === 'AR-8' ? this.role === 'requestor' : true;
    const branch = main || !row.otherwise ? row : row.otherwise;
    this.#state = branch.next;
    this.#column = STATES.indexOf(branch.next);
    return { action, effects: branch.effects };
  }
}
