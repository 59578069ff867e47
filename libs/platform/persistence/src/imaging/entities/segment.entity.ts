// A landing segment and how much of it is settled elsewhere. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'segment' })
export class SegmentEntity {
  @PrimaryColumn({ name: 'owner', type: 'text' })
  owner!: string;
  @PrimaryColumn({ name: 'generation', type: 'bigint' })
  generation!: number;
  @Column({ name: 'object_key', type: 'text' })
  objectKey!: string;
  @Column({ name: 'records', type: 'integer', nullable: true })
  records!: number | null;
  @Column({ name: 'bytes', type: 'bigint', nullable: true })
  bytes!: number | null;
  @Column({ name: 'disposed_records', type: 'integer' })
  disposedRecords!: number;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'opened_at', type: 'timestamptz' })
  openedAt!: Date;
}
