// A receipt whose SOP Instance UID was known already. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'duplicate' })
export class DuplicateEntity {
  @PrimaryColumn({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'study_instance_uid', type: 'text' })
  studyInstanceUid!: string;
  @Column({ name: 'series_instance_uid', type: 'text' })
  seriesInstanceUid!: string;
  @Column({ name: 'sop_instance_uid', type: 'text' })
  sopInstanceUid!: string;
  @Column({ name: 'instance_id', type: 'uuid' })
  instanceId!: string;
  @Column({ name: 'instance_bucket', type: 'smallint' })
  instanceBucket!: number;
  @Column({ name: 'kind', type: 'text' })
  kind!: string;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'dataset_sha256', type: 'bytea' })
  datasetSha256!: Buffer;
  @Column({ name: 'receipt', type: 'jsonb' })
  receipt!: unknown;
  @Column({ name: 'tier', type: 'text' })
  tier!: string;
  @Column({ name: 'object_key', type: 'text' })
  objectKey!: string;
  @Column({ name: 'offset_bytes', type: 'bigint' })
  offsetBytes!: number;
  @Column({ name: 'length_bytes', type: 'bigint' })
  lengthBytes!: number;
  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt!: Date;
}
