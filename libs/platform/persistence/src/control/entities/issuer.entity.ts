// Who gives out patient identifiers. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'issuer' })
export class IssuerEntity {
  @PrimaryColumn({ name: 'issuer_id', type: 'uuid' })
  issuerId!: string;
  @Column({ name: 'tenant_id', type: 'text' })
  tenantId!: string;
  @Column({ name: 'local_namespace', type: 'text' })
  localNamespace!: string;
  @Column({ name: 'universal_id', type: 'text', nullable: true })
  universalId!: string | null;
  @Column({ name: 'universal_id_type', type: 'text', nullable: true })
  universalIdType!: string | null;
}
