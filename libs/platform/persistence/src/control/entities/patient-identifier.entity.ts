// An identifier of an issuer that stands for a patient. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The table has no primary key (an identifier may have been given away before): TypeORM wants one named all the same. */
@Entity({ schema: 'control', name: 'patient_identifier' })
export class PatientIdentifierEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @PrimaryColumn({ name: 'issuer_id', type: 'uuid' })
  issuerId!: string;
  @PrimaryColumn({ name: 'value', type: 'text' })
  value!: string;
  @PrimaryColumn({ name: 'patient_id', type: 'uuid' })
  patientId!: string;
  @Column({ name: 'active', type: 'boolean' })
  active!: boolean;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
