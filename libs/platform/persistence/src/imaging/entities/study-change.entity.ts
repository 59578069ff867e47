// The change feed. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'study_change' })
export class StudyChangeEntity {
  @PrimaryColumn({ name: 'sequence', type: 'bigint' })
  sequence!: number;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @Column({ name: 'study_instance_uid', type: 'text' })
  studyInstanceUid!: string;
  @Column({ name: 'study_version', type: 'integer' })
  studyVersion!: number;
  @Column({ name: 'reasons', type: 'text', array: true })
  reasons!: string[];
  @Column({ name: 'occurred_at', type: 'timestamptz' })
  occurredAt!: Date;
}
