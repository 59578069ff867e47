// A DICOM node that the archive opens associations to. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'remote_node' })
export class RemoteNodeEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @PrimaryColumn({ name: 'ae_title', type: 'text' })
  aeTitle!: string;
  @Column({ name: 'host', type: 'text' })
  host!: string;
  @Column({ name: 'port', type: 'integer' })
  port!: number;
  @Column({ name: 'tls', type: 'boolean' })
  tls!: boolean;
  @Column({ name: 'description', type: 'text' })
  description!: string;
  @Column({ name: 'move_callers', type: 'text', array: true })
  moveCallers!: string[];
  @Column({ name: 'max_associations', type: 'integer' })
  maxAssociations!: number;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
  @Column({ name: 'changed_at', type: 'timestamptz' })
  changedAt!: Date;
}
