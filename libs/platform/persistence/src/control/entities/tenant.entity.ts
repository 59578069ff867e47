// An organisation whose data is kept apart from all others. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'tenant' })
export class TenantEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'name', type: 'text' })
  name!: string;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
