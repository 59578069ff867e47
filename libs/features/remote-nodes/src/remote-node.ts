// A DICOM peer that the archive opens associations to by itself: a destination of C-MOVE, a requester of storage commitment, a node that
// is verified. Who may send to the archive is said elsewhere (source profiles).

export interface RemoteNodeSettings {
  /** 1 to 16 characters of the default repertoire without backslash, none of them a blank at either end (PS3.5 §6.2, AE). */
  readonly aeTitle: string;
  /** Host name or IP address. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /** Whether associations to it are opened over TLS (PS3.15 §B). */
  readonly tls: boolean;
  /** For people; at most 200 characters. */
  readonly description: string;
  /** Calling AE titles that may name it as move destination (PS3.4 §C.4.2); empty: any known source. */
  readonly moveCallers: readonly string[];
  /** Associations that the archive has open to it at once, 1 to 32. */
  readonly maxAssociations: number;
}

export interface RemoteNode extends RemoteNodeSettings {
  readonly tenantId: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** What a node is unless its administrator says otherwise. */
export const REMOTE_NODE_DEFAULTS = { tls: false, description: '', moveCallers: [], maxAssociations: 2 } as const satisfies Partial<RemoteNodeSettings>;
