// Purpose: DICOM nodes that the archive opens associations to. Lock: of control.tenant, for milliseconds (a foreign key). Duration: instant.
// Backward compatible: yes (a new table).
import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = `
create table control.remote_node (
  tenant_id         text not null references control.tenant,
  -- PS3.5 §6.2, AE: ASCII without backslash, no blank at either end
  ae_title          text not null check (ae_title ~ '^[\\x20-\\x5b\\x5d-\\x7e]{1,16}$' and ae_title = btrim(ae_title)),
  -- name or IP address
  host              text not null check (host <> ''),
  port              integer not null check (port between 1 and 65535),
  tls               boolean not null default false,
  description       text not null default '',
  -- calling AE titles that may name it as move destination; empty: any known source
  move_callers      text[] not null default '{}',
  -- associations that the archive has open to it at once
  max_associations  integer not null default 2 check (max_associations between 1 and 32),
  created_at        timestamptz not null default now(),
  changed_at        timestamptz not null default now(),
  -- all nodes of a tenant: the lists of administrators and the lookups of services
  primary key (tenant_id, ae_title)
);
`;

export class RemoteNodes1796083200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(up);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
