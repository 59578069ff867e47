import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '@perennia/errors';
import { checkRemoteNode } from './check-remote-node.js';
import { REMOTE_NODE_DEFAULTS, type RemoteNodeSettings } from './remote-node.js';

const check = (over: Partial<RemoteNodeSettings>): void => checkRemoteNode({ ...REMOTE_NODE_DEFAULTS, aeTitle: 'VIEWER', host: 'viewer.example', port: 104, ...over });

describe('checkRemoteNode', () => {
  it.each(['A', 'STORE_SCP', 'with blank', 'lower-Case', 'exactly16-chars!', '~{}|^'])('takes the AE title "%s"', (aeTitle) => {
    check({ aeTitle, moveCallers: [aeTitle] });
  });
  it.each(['', ' ', ' LEFT', 'RIGHT ', 'BACK\\SLASH', 'seventeen-letters', 'UMLÄUT', 'TAB\tULATOR', 'LINE\n'])('refuses the AE title %j, also as a caller', (aeTitle) => {
    expect(() => check({ aeTitle })).toThrow(InvalidInputError);
    expect(() => check({ moveCallers: ['OK', aeTitle] })).toThrow(/is no AE title$/);
  });

  it.each(['localhost', 'pacs.hospital.example.', 'ct_1', '3com.example', '192.0.2.7', '2001:db8::1', 'fe80::1%eth0'])('takes the host %s', (host) => {
    check({ host });
  });
  it.each(['', 'http://pacs', 'pacs:104', 'two words', '-x', 'x-', '192.0.2', '300.1.1.1', '12', 'a..b', '.', `${'a.'.repeat(126)}bc`, 'x\0'])('refuses the host %j', (host) => {
    expect(() => check({ host })).toThrow(/is neither a host name nor an IP address$/);
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN])('refuses the port %d', (port) => {
    expect(() => check({ port })).toThrow('is no TCP port');
  });
  it.each([0, 33, 2.5, Number.NaN])('refuses %d associations at once', (maxAssociations) => {
    expect(() => check({ maxAssociations })).toThrow(InvalidInputError);
  });
  it.each(['x'.repeat(201), 'two\nlines', 'bell\u0007'])('refuses the description %j', (description) => {
    expect(() => check({ description })).toThrow('The description is too long or has control characters');
  });
});
