// One study with what searches show of it. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'study' })
export class StudyEntity {
  @PrimaryColumn({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'study_instance_uid', type: 'text' })
  studyInstanceUid!: string;
  @Column({ name: 'patient_id', type: 'uuid' })
  patientId!: string;
  @Column({ name: 'patient_version', type: 'integer' })
  patientVersion!: number;
  @Column({ name: 'patient_identifier', type: 'text', nullable: true })
  patientIdentifier!: string | null;
  @Column({ name: 'issuer', type: 'text', nullable: true })
  issuer!: string | null;
  @Column({ name: 'patient_name', type: 'text', nullable: true })
  patientName!: string | null;
  @Column({ name: 'patient_birth_date', type: 'text', nullable: true })
  patientBirthDate!: string | null;
  @Column({ name: 'patient_sex', type: 'text', nullable: true })
  patientSex!: string | null;
  @Column({ name: 'study_date', type: 'text', nullable: true })
  studyDate!: string | null;
  @Column({ name: 'study_time', type: 'text', nullable: true })
  studyTime!: string | null;
  @Column({ name: 'sort_date', type: 'text' })
  sortDate!: string;
  @Column({ name: 'accession_number', type: 'text', nullable: true })
  accessionNumber!: string | null;
  @Column({ name: 'study_id', type: 'text', nullable: true })
  studyId!: string | null;
  @Column({ name: 'study_description', type: 'text', nullable: true })
  studyDescription!: string | null;
  @Column({ name: 'referring_physician', type: 'text', nullable: true })
  referringPhysician!: string | null;
  @Column({ name: 'modalities', type: 'text', array: true })
  modalities!: string[];
  @Column({ name: 'sop_classes', type: 'text', array: true })
  sopClasses!: string[];
  @Column({ name: 'number_of_series', type: 'integer' })
  numberOfSeries!: number;
  @Column({ name: 'number_of_instances', type: 'integer' })
  numberOfInstances!: number;
  @Column({ name: 'total_bytes', type: 'bigint' })
  totalBytes!: number;
  @Column({ name: 'attributes', type: 'jsonb' })
  attributes!: unknown;
  @Column({ name: 'ext', type: 'jsonb' })
  ext!: unknown;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'version', type: 'integer' })
  version!: number;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
  @Column({ name: 'last_received_at', type: 'timestamptz' })
  lastReceivedAt!: Date;
}
