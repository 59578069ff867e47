// Purpose: the catalogue of what was received. Lock: none (new tables). Duration: instant.
// Backward compatible: yes (first migration).
// study and series are not partitioned on one node (64 partitions made the commonest query 26 times slower); instance,
// copy and sop_directory have 8 hash partitions. The bucket is in every key all the same, for a later distribution.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = `
create table imaging.study (
  bucket                smallint not null,
  id                    uuid not null,
  tenant_id             text not null,
  study_instance_uid    text collate "C" not null,
  patient_id            uuid not null,
  patient_version       integer not null,
  -- copied from the patient so that a search needs one table; refreshed when patient_version is behind
  patient_identifier    text,
  issuer                text,
  patient_name          text,
  patient_birth_date    text collate "C",
  patient_sex           text,
  study_date            text collate "C",
  study_time            text collate "C",
  -- study_date, or '' when absent: the order of every study list
  sort_date             text collate "C" not null,
  accession_number      text,
  study_id              text,
  study_description     text,
  referring_physician   text,
  modalities            text[] not null default '{}',
  sop_classes           text[] not null default '{}',
  number_of_series      integer not null default 0,
  number_of_instances   integer not null default 0,
  total_bytes           bigint not null default 0,
  -- DICOM JSON of the kept patient and study attributes as first received
  attributes            jsonb not null,
  ext                   jsonb not null default '{}',
  state                 text not null default 'open' check (state in ('open', 'settled', 'tombstoned')),
  version               integer not null default 1,
  created_at            timestamptz not null default now(),
  last_received_at      timestamptz not null default now(),
  primary key (bucket, id)
) with (fillfactor = 80);
-- one row per study and tenant; Study UID searches and every upsert
create unique index study_uid on imaging.study (tenant_id, study_instance_uid, bucket);
-- the study list and its pages: order by sort_date desc, id desc; with the bucket the keys of a page come from here alone
create index study_list on imaging.study (tenant_id, sort_date desc, id desc) include (bucket) where state <> 'tombstoned';
-- by Patient ID
create index study_identifier on imaging.study (tenant_id, patient_identifier text_pattern_ops);
create index study_patient on imaging.study (patient_id);
-- by accession number
create index study_accession on imaging.study (tenant_id, accession_number text_pattern_ops) where accession_number is not null;
-- name prefix
create index study_name on imaging.study (tenant_id, patient_name text_pattern_ops);
-- prefix of the ideographic and the phonetic group, for the few names that have them
create index study_name_ideographic on imaging.study (tenant_id, split_part(patient_name, '=', 2) text_pattern_ops) where patient_name like '%=%';
create index study_name_phonetic on imaging.study (tenant_id, split_part(patient_name, '=', 3) text_pattern_ops) where patient_name like '%=%';
-- names and descriptions by infix, ideographic and phonetic groups
create index study_name_trigram on imaging.study using gin (patient_name gin_trgm_ops);
create index study_modalities on imaging.study using gin (modalities);
-- settling: the open studies; the time of the last instance is in no index, so that counting instances stays HOT
create index study_open on imaging.study (id) where state = 'open';

create table imaging.series (
  bucket                smallint not null,
  id                    uuid not null,
  study_id              uuid not null,
  tenant_id             text not null,
  series_instance_uid   text collate "C" not null,
  modality              text,
  series_number         integer,
  series_description    text,
  body_part_examined    text,
  performed_date        text collate "C",
  performed_time        text collate "C",
  number_of_instances   integer not null default 0,
  total_bytes           bigint not null default 0,
  transfer_syntaxes     text[] not null default '{}',
  attributes            jsonb not null,
  ext                   jsonb not null default '{}',
  -- prebuilt metadata; valid only while metadata_version = version
  metadata_key          text,
  metadata_version      integer,
  version               integer not null default 1,
  created_at            timestamptz not null default now(),
  primary key (bucket, id)
) with (fillfactor = 80);
-- A Series UID used in two studies gives two series: the study is part of the key.
create unique index series_uid on imaging.series (tenant_id, series_instance_uid, study_id, bucket);
-- series of a study in the order they are listed
create index series_study on imaging.series (study_id, series_number, id);

create table imaging.instance (
  bucket                smallint not null,
  -- the receiptId
  id                    uuid not null,
  study_id              uuid not null,
  series_id             uuid not null,
  tenant_id             text not null,
  sop_instance_uid      text collate "C" not null,
  sop_class_uid         text not null,
  transfer_syntax_uid   text not null,
  instance_number       integer,
  number_of_frames      integer not null default 1,
  rows                  integer,
  columns               integer,
  bits_allocated        integer,
  object_length         bigint not null,
  dataset_offset        integer not null,
  header_length         bigint not null,
  -- contracts FrameIndex, never of kind 'reference'
  frame_index           json not null,
  dataset_sha256        bytea not null,
  version               integer not null default 1,
  state                 text not null default 'current' check (state in ('current', 'superseded')),
  attributes            jsonb not null,
  ext                   jsonb not null default '{}',
  -- json, as frame_index: only ever read whole, and cheaper to write
  source                json not null,
  received_at           timestamptz not null,
  primary key (bucket, id)
) partition by hash (bucket);
create unique index instance_uid on imaging.instance (bucket, tenant_id, sop_instance_uid, version);
-- instances of a study or series in the order they are listed
create index instance_series on imaging.instance (study_id, series_id, instance_number, id);

-- (tenant, SOP Instance UID) -> where; decides who came first, also across studies
create table imaging.sop_directory (
  tenant_id         text not null,
  sop_instance_uid  text collate "C" not null,
  bucket            smallint not null,
  instance_id       uuid not null,
  primary key (sop_instance_uid, tenant_id)
) partition by hash (sop_instance_uid);

-- tier, key and offset are in no index and each page has room for the longer rows of filed copies: filing updates stay HOT
create table imaging.copy (
  bucket        smallint not null,
  instance_id   uuid not null,
  copy_number   smallint not null default 1,
  tier          text not null,
  object_key    text not null,
  offset_bytes  bigint not null,
  length_bytes  bigint not null,
  state         text not null check (state in ('written', 'verified', 'suspect', 'retiring')),
  verified_at   timestamptz,
  -- of the whole Part 10 object; known once it is filed
  object_sha256 bytea,
  primary key (bucket, instance_id, copy_number)
) partition by hash (bucket);

-- Receipts whose SOP Instance UID was known: same bytes (redundant) or other bytes (conflict: kept, listed, fixable).
create table imaging.duplicate (
  bucket              smallint not null,
  -- the receiptId
  id                  uuid not null,
  tenant_id           text not null,
  study_instance_uid  text collate "C" not null,
  series_instance_uid text collate "C" not null,
  sop_instance_uid    text collate "C" not null,
  -- the instance that was kept
  instance_id         uuid not null,
  instance_bucket     smallint not null,
  kind                text not null check (kind in ('redundant', 'conflict')),
  -- pending: bytes still in the landing area; dropped: kept copy was re-read and is good; adopted: took the place of a bad
  -- copy; filed: conflict, its bytes are in a pack; suspect: its bytes are not those received
  state               text not null default 'pending' check (state in ('pending', 'dropped', 'adopted', 'filed', 'suspect')),
  dataset_sha256      bytea not null,
  receipt             jsonb not null,
  tier                text not null,
  object_key          text not null,
  offset_bytes        bigint not null,
  length_bytes        bigint not null,
  received_at         timestamptz not null,
  primary key (bucket, id)
);
create index duplicate_pending on imaging.duplicate (received_at) where state = 'pending';
create index duplicate_conflicts on imaging.duplicate (tenant_id, received_at desc) where kind = 'conflict';

-- Landing segments: how many of a sealed segment's records are settled elsewhere.
create table imaging.segment (
  owner              text not null,
  generation         bigint not null,
  object_key         text not null,
  -- set when sealed
  records            integer,
  bytes              bigint,
  -- records verified in a pack, dropped as redundant, or quarantined elsewhere; each counted once, in the transaction that did it
  disposed_records   integer not null default 0,
  state              text not null default 'open' check (state in ('open', 'sealed', 'released')),
  opened_at          timestamptz not null default now(),
  primary key (owner, generation)
);
-- how full the landing areas are: looked at by filing several times a second
create index segment_held on imaging.segment (owner) where state <> 'released';

-- The relay of each landing area: everything up to here is in the log.
create table imaging.relay_position (
  owner         text primary key,
  generation    bigint not null,
  offset_bytes  bigint not null,
  updated_at    timestamptz not null default now()
);
`;

const partitions = (table: string, parts: number): string =>
  Array.from({ length: parts }, (_, remainder) =>
    `create table imaging.${table}_p${remainder} partition of imaging.${table} for values with (modulus ${parts}, remainder ${remainder})` +
    (table === 'copy' ? ' with (fillfactor = 30)' : '') + ';').join('\n');

export class Catalogue1763769600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create extension if not exists pg_trgm');
    await runner.query(up);
    for (const table of ['instance', 'copy', 'sop_directory']) await runner.query(partitions(table, 8));
  }
  async down(): Promise<void> {
    throw new Error('Received data is never migrated backwards.');
  }
}
