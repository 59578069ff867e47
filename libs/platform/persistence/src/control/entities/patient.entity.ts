// A patient as the archive knows it; points at its survivor after a merge. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'patient' })
export class PatientEntity {
  @PrimaryColumn({ name: 'patient_id', type: 'uuid' })
  patientId!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'name', type: 'text', nullable: true })
  name!: string | null;
  @Column({ name: 'search_name', type: 'text', nullable: true })
  searchName!: string | null;
  @Column({ name: 'birth_date', type: 'text', nullable: true })
  birthDate!: string | null;
  @Column({ name: 'sex', type: 'text', nullable: true })
  sex!: string | null;
  @Column({ name: 'surviving_id', type: 'uuid' })
  survivingId!: string;
  @Column({ name: 'version', type: 'integer' })
  version!: number;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
