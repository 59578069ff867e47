// Where the bytes of an instance are. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'copy' })
export class CopyEntity {
  @PrimaryColumn({ name: 'bucket', type: 'smallint' })
  bucket!: number;
  @PrimaryColumn({ name: 'instance_id', type: 'uuid' })
  instanceId!: string;
  @PrimaryColumn({ name: 'copy_number', type: 'smallint' })
  copyNumber!: number;
  @Column({ name: 'tier', type: 'text' })
  tier!: string;
  @Column({ name: 'object_key', type: 'text' })
  objectKey!: string;
  @Column({ name: 'offset_bytes', type: 'bigint' })
  offsetBytes!: number;
  @Column({ name: 'length_bytes', type: 'bigint' })
  lengthBytes!: number;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'verified_at', type: 'timestamptz', nullable: true })
  verifiedAt!: Date | null;
  @Column({ name: 'object_sha256', type: 'bytea', nullable: true })
  objectSha256!: Buffer | null;
}
