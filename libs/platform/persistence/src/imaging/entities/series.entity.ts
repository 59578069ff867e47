// One series of one study. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'series' })
export class SeriesEntity {
  @PrimaryColumn({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id!: string;
  @Column({ name: 'study_id', type: 'uuid' })
  studyId!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'series_instance_uid', type: 'text' })
  seriesInstanceUid!: string;
  @Column({ name: 'modality', type: 'text', nullable: true })
  modality!: string | null;
  @Column({ name: 'series_number', type: 'integer', nullable: true })
  seriesNumber!: number | null;
  @Column({ name: 'series_description', type: 'text', nullable: true })
  seriesDescription!: string | null;
  @Column({ name: 'body_part_examined', type: 'text', nullable: true })
  bodyPartExamined!: string | null;
  @Column({ name: 'performed_date', type: 'text', nullable: true })
  performedDate!: string | null;
  @Column({ name: 'performed_time', type: 'text', nullable: true })
  performedTime!: string | null;
  @Column({ name: 'number_of_instances', type: 'integer' })
  numberOfInstances!: number;
  @Column({ name: 'total_bytes', type: 'bigint' })
  totalBytes!: number;
  @Column({ name: 'transfer_syntaxes', type: 'text', array: true })
  transferSyntaxes!: string[];
  @Column({ name: 'attributes', type: 'jsonb' })
  attributes!: unknown;
  @Column({ name: 'ext', type: 'jsonb' })
  ext!: unknown;
  @Column({ name: 'metadata_key', type: 'text', nullable: true })
  metadataKey!: string | null;
  @Column({ name: 'metadata_version', type: 'integer', nullable: true })
  metadataVersion!: number | null;
  @Column({ name: 'version', type: 'integer' })
  version!: number;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
