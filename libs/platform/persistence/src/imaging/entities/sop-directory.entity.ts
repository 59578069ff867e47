// Where an instance is, by SOP Instance UID alone. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'sop_directory' })
export class SopDirectoryEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @PrimaryColumn({ name: 'sop_instance_uid', type: 'text' })
  sopInstanceUid!: string;
  @Column({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @Column({ name: 'instance_id', type: 'uuid' })
  instanceId!: string;
}
