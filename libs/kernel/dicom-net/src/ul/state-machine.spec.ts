import { describe, expect, it } from '@jest/globals';
import { ACTIONS, type EventName, StateMachine, STATES, type StateName, TRANSITIONS } from './state-machine.js';

// Table 9-10 once more, written the other way round (by state, with the next state), so that a slip in either shows.
// "event: action > next state"; AE-6 and AR-8 show both of their next states.
const BY_STATE: Record<StateName, string> = {
  Sta1: '1:AE-1>4 5:AE-5>2',
  Sta2: '3:AA-1>13 4:AA-1>13 6:AE-6>3|13 10:AA-1>13 12:AA-1>13 13:AA-1>13 16:AA-2>1 17:AA-5>1 18:AA-2>1 19:AA-1>13',
  Sta3: '3:AA-8>13 4:AA-8>13 6:AA-8>13 7:AE-7>6 8:AE-8>13 10:AA-8>13 12:AA-8>13 13:AA-8>13 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta4: '2:AE-2>5 15:AA-2>1 17:AA-4>1',
  Sta5: '3:AE-3>6 4:AE-4>1 6:AA-8>13 10:AA-8>13 12:AA-8>13 13:AA-8>13 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta6: '3:AA-8>13 4:AA-8>13 6:AA-8>13 9:DT-1>6 10:DT-2>6 11:AR-1>7 12:AR-2>8 13:AA-8>13 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta7: '3:AA-8>13 4:AA-8>13 6:AA-8>13 10:AR-6>7 12:AR-8>9|10 13:AR-3>1 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta8: '3:AA-8>13 4:AA-8>13 6:AA-8>13 9:AR-7>8 10:AA-8>13 12:AA-8>13 13:AA-8>13 14:AR-4>13 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta9: '3:AA-8>13 4:AA-8>13 6:AA-8>13 10:AA-8>13 12:AA-8>13 13:AA-8>13 14:AR-9>11 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta10: '3:AA-8>13 4:AA-8>13 6:AA-8>13 10:AA-8>13 12:AA-8>13 13:AR-10>12 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta11: '3:AA-8>13 4:AA-8>13 6:AA-8>13 10:AA-8>13 12:AA-8>13 13:AR-3>1 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta12: '3:AA-8>13 4:AA-8>13 6:AA-8>13 10:AA-8>13 12:AA-8>13 13:AA-8>13 14:AR-4>13 15:AA-1>13 16:AA-3>1 17:AA-4>1 19:AA-8>13',
  Sta13: '3:AA-6>13 4:AA-6>13 6:AA-7>13 10:AA-6>13 12:AA-6>13 13:AA-6>13 16:AA-2>1 17:AR-5>1 18:AA-2>1 19:AA-7>13',
};

const EVENTS = Object.keys(TRANSITIONS) as EventName[];

/** Shortest ways into each state, by events, per role. */
const WAY_TO: Record<StateName, { role: 'requestor' | 'acceptor'; events: EventName[] }> = {
  Sta1: { role: 'acceptor', events: [] },
  Sta2: { role: 'acceptor', events: ['Evt5'] },
  Sta3: { role: 'acceptor', events: ['Evt5', 'Evt6'] },
  Sta4: { role: 'requestor', events: ['Evt1'] },
  Sta5: { role: 'requestor', events: ['Evt1', 'Evt2'] },
  Sta6: { role: 'acceptor', events: ['Evt5', 'Evt6', 'Evt7'] },
  Sta7: { role: 'requestor', events: ['Evt1', 'Evt2', 'Evt3', 'Evt11'] },
  Sta8: { role: 'acceptor', events: ['Evt5', 'Evt6', 'Evt7', 'Evt12'] },
  Sta9: { role: 'requestor', events: ['Evt1', 'Evt2', 'Evt3', 'Evt11', 'Evt12'] },
  Sta10: { role: 'acceptor', events: ['Evt5', 'Evt6', 'Evt7', 'Evt11', 'Evt12'] },
  Sta11: { role: 'requestor', events: ['Evt1', 'Evt2', 'Evt3', 'Evt11', 'Evt12', 'Evt14'] },
  Sta12: { role: 'acceptor', events: ['Evt5', 'Evt6', 'Evt7', 'Evt11', 'Evt12', 'Evt13'] },
  Sta13: { role: 'acceptor', events: ['Evt5', 'Evt6', 'Evt8'] },
};

function machineIn(state: StateName, role = WAY_TO[state].role): StateMachine {
  const machine = new StateMachine(role);
  for (const event of WAY_TO[state].events) machine.fire(event);
  return machine;
}

function expectedCells(state: StateName): Map<string, { action: string; next: string[] }> {
  return new Map(BY_STATE[state].split(' ').map((cell) => {
    const [event, action, next] = cell.split(/[:>]/) as [string, string, string];
    return [`Evt${event}`, { action, next: next.split('|').map((number) => `Sta${number}`) }] as const;
  }));
}

describe('upper layer state machine (PS3.8 Table 9-10)', () => {
  const cells = STATES.flatMap((state) => EVENTS.map((event) => ({ state, event })));

  it('has 13 states and 19 events', () => {
    expect(cells).toHaveLength(13 * 19);
  });

  it.each(cells)('$state on $event does what the table says', ({ state, event }) => {
    const machine = machineIn(state);
    expect(machine.state).toBe(state);
    const cell = expectedCells(state).get(event);
    expect(machine.allows(event)).toBe(cell !== undefined);
    if (!cell) {
      expect(() => machine.fire(event)).toThrow(event);
      expect(machine.state).toBe(state);
      return;
    }
    const { action, effects } = machine.fire(event);
    expect(action).toBe(cell.action);
    expect(cell.next).toContain(machine.state);
    expect(effects).toBe(ACTIONS[action].effects);
  });

  it('given an unacceptable request in Sta2, then AE-6 rejects and waits for the transport to close', () => {
    const machine = machineIn('Sta2');
    expect(machine.fire('Evt6', false)).toEqual({ action: 'AE-6', effects: ['stopArtim', 'send', 'startArtim'] });
    expect(machine.state).toBe('Sta13');
  });

  it('given a release collision, then AR-8 sends the requestor to Sta9 and the acceptor to Sta10', () => {
    const acceptor = new StateMachine('acceptor');
    for (const event of ['Evt5', 'Evt6', 'Evt7', 'Evt11', 'Evt12'] as const) acceptor.fire(event);
    const requestor = new StateMachine('requestor');
    for (const event of ['Evt1', 'Evt2', 'Evt3', 'Evt11', 'Evt12'] as const) requestor.fire(event);
    expect([acceptor.state, requestor.state]).toEqual(['Sta10', 'Sta9']);
  });
});
