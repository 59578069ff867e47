// One stored SOP instance. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'instance' })
export class InstanceEntity {
  @PrimaryColumn({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id!: string;
  @Column({ name: 'study_id', type: 'uuid' })
  studyId!: string;
  @Column({ name: 'series_id', type: 'uuid' })
  seriesId!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'sop_instance_uid', type: 'text' })
  sopInstanceUid!: string;
  @Column({ name: 'sop_class_uid', type: 'text' })
  sopClassUid!: string;
  @Column({ name: 'transfer_syntax_uid', type: 'text' })
  transferSyntaxUid!: string;
  @Column({ name: 'instance_number', type: 'integer', nullable: true })
  instanceNumber!: number | null;
  @Column({ name: 'number_of_frames', type: 'integer' })
  numberOfFrames!: number;
  @Column({ name: 'rows', type: 'integer', nullable: true })
  rows!: number | null;
  @Column({ name: 'columns', type: 'integer', nullable: true })
  columns!: number | null;
  @Column({ name: 'bits_allocated', type: 'integer', nullable: true })
  bitsAllocated!: number | null;
  @Column({ name: 'object_length', type: 'bigint' })
  objectLength!: number;
  @Column({ name: 'dataset_offset', type: 'integer' })
  datasetOffset!: number;
  @Column({ name: 'header_length', type: 'bigint' })
  headerLength!: number;
  @Column({ name: 'frame_index', type: 'json' })
  frameIndex!: unknown;
  @Column({ name: 'dataset_sha256', type: 'bytea' })
  datasetSha256!: Buffer;
  @Column({ name: 'version', type: 'integer' })
  version!: number;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'attributes', type: 'jsonb' })
  attributes!: unknown;
  @Column({ name: 'ext', type: 'jsonb' })
  ext!: unknown;
  @Column({ name: 'source', type: 'json' })
  source!: unknown;
  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt!: Date;
}
