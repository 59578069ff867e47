// What may stand in the settings of a remote node. The table has the same rules; these say in words what is wrong.
import { isIP } from 'node:net';
import { InvalidInputError } from '@perennia/errors';
import { isAeTitle } from './ae-title.js';
import type { RemoteNodeSettings } from './remote-node.js';

const LONGEST_HOST = 253;
const LONGEST_DESCRIPTION = 200;
export const MOST_ASSOCIATIONS = 32;
/** RFC 1123 §2.1, and underscores, which people do use. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const AE_TITLE_RULE = 'An AE title has 1 to 16 characters of ASCII without backslash, and no blank at either end';

/** @throws InvalidInputError that names the first value that is wrong */
export function checkRemoteNode(node: RemoteNodeSettings): void {
  for (const aeTitle of [node.aeTitle, ...node.moveCallers]) {
    if (!isAeTitle(aeTitle)) throw new InvalidInputError(`"${printable(aeTitle)}" is no AE title`, { remedy: AE_TITLE_RULE });
  }
  if (!isHost(node.host)) throw new InvalidInputError(`"${printable(node.host)}" is neither a host name nor an IP address`, { remedy: 'Name the host alone, without scheme and port' });
  if (!isWithin(node.port, 65_535)) throw new InvalidInputError(`${node.port} is no TCP port`, { remedy: 'Ports are 1 to 65535; DICOM has 104 and 11112, and 2762 for TLS' });
  if (!isWithin(node.maxAssociations, MOST_ASSOCIATIONS)) {
    throw new InvalidInputError(`${node.maxAssociations} associations at once are not possible`, { remedy: `Say 1 to ${MOST_ASSOCIATIONS}` });
  }
  if (node.description.length > LONGEST_DESCRIPTION || /\p{Cc}/u.test(node.description)) {
    throw new InvalidInputError('The description is too long or has control characters', { remedy: `Describe the node in one line of at most ${LONGEST_DESCRIPTION} characters` });
  }
}

const isWithin = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;

/** A name whose last label is a number would be read as an address by some resolvers. */
function isHost(host: string): boolean {
  if (isIP(host) !== 0) return true;
  const labels = host.replace(/\.$/, '').split('.');
  return host.length <= LONGEST_HOST && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
}

const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?').slice(0, 64);
