// What was not taken, why and from whom. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'refusal' })
export class RefusalEntity {
  @PrimaryColumn({ name: 'refusal_id', type: 'uuid' })
  refusalId!: string;
  @Column({ name: 'tenant_id', type: 'text', nullable: true })
  tenantId!: string | null;
  @Column({ name: 'refused_at', type: 'timestamptz' })
  refusedAt!: Date;
  @Column({ name: 'road', type: 'text' })
  road!: string;
  @Column({ name: 'status', type: 'text' })
  status!: string;
  @Column({ name: 'reason_code', type: 'text' })
  reasonCode!: string;
  @Column({ name: 'reason', type: 'text' })
  reason!: string;
  @Column({ name: 'source', type: 'jsonb' })
  source!: unknown;
  @Column({ name: 'sop_class_uid', type: 'text', nullable: true })
  sopClassUid!: string | null;
  @Column({ name: 'sop_instance_uid', type: 'text', nullable: true })
  sopInstanceUid!: string | null;
  @Column({ name: 'study_instance_uid', type: 'text', nullable: true })
  studyInstanceUid!: string | null;
}
