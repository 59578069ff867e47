// Which services share a process. Reception has one of its own, so that neither indexing nor a large download delays an
// acknowledgement; owners of landing areas are process groups, and an area has one writer at a time.
export const roleNames = ['ingest', 'indexing', 'lifecycle', 'dicomweb', 'retrieve'] as const;
export type RoleName = (typeof roleNames)[number];

export const processGroupNames = ['ingest', 'worker', 'web'] as const;
export type ProcessGroupName = (typeof processGroupNames)[number];

export interface ProcessGroup {
  name: ProcessGroupName;
  roles: readonly RoleName[];
  /** Whether the group takes objects in, into a landing area named like the group. */
  receives: boolean;
}

export const processGroups: readonly ProcessGroup[] = [
  { name: 'ingest', roles: ['ingest'], receives: true },
  { name: 'worker', roles: ['indexing', 'lifecycle'], receives: false },
  { name: 'web', roles: ['dicomweb', 'retrieve'], receives: true },
];

/** Name of the landing area that a copy of the group writes: an area has one writer, and DICOMweb and queries may run apart. */
export const landingOwnerOf = ({ name, roles, receives }: ProcessGroup, instance: string | undefined): string | undefined => {
  const area = roles.every((role) => role === 'retrieve') ? 'retrieve' : name;
  return receives ? [area, ...(instance === undefined ? [] : [instance])].join('-') : undefined;
};

/** Whether a group takes objects in and does nothing else: that goes on while database and event log are away. */
export const onlyAcquires = ({ roles }: ProcessGroup): boolean => roles.every((role) => role === 'ingest');

/** The groups that have work for the wanted roles, with just those. */
export const groupsFor = (wanted: readonly RoleName[]): ProcessGroup[] =>
  processGroups
    .map((group) => ({ ...group, roles: group.roles.filter((role) => wanted.includes(role)) }))
    .filter((group) => group.roles.length > 0);
