// Purpose: tenants, patient identity, refusals of what was received. Lock: none (new tables). Duration: instant.
// Backward compatible: yes (first migration).
import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = `
create table control.tenant (
  tenant_id   text primary key check (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
  name        text not null,
  created_at  timestamptz not null default now()
);
insert into control.tenant (tenant_id, name) values ('default', 'Default');

create table control.issuer (
  issuer_id          uuid primary key default gen_random_uuid(),
  tenant_id          text not null references control.tenant,
  -- '' when the images name no issuer: such identifiers match only each other.
  local_namespace    text not null default '',
  universal_id       text,
  universal_id_type  text,
  unique (tenant_id, local_namespace)
);

create table control.patient (
  patient_id    uuid primary key,
  tenant_id     text not null references control.tenant,
  name          text,
  search_name   text,
  birth_date    text,
  sex           text,
  -- Itself while active; one hop to the survivor after a merge.
  surviving_id  uuid not null,
  version       integer not null default 1,
  created_at    timestamptz not null default now()
);
-- merges: who points at this survivor
create index patient_survivor on control.patient (surviving_id) where surviving_id <> patient_id;

create table control.patient_identifier (
  tenant_id   text not null,
  issuer_id   uuid not null references control.issuer,
  value       text not null,
  patient_id  uuid not null references control.patient,
  active      boolean not null default true,
  created_at  timestamptz not null default now()
);
-- get-or-create while indexing; identifier -> patient in every search by Patient ID
create unique index patient_identifier_active on control.patient_identifier (tenant_id, value, issuer_id) where active;
create index patient_identifier_patient on control.patient_identifier (patient_id);

create table control.refusal (
  refusal_id        uuid primary key,
  tenant_id         text,
  refused_at        timestamptz not null,
  -- dimse, stow, import
  road              text not null,
  status            text not null,
  -- stable code and plain words, without patient data
  reason_code       text not null,
  reason            text not null,
  source            jsonb not null,
  sop_class_uid     text,
  sop_instance_uid  text,
  study_instance_uid text
);
-- vna status --refused: newest first
create index refusal_recent on control.refusal (refused_at desc);
`;

export class Identity1763769600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(up);
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
