// A record on which a consumer gave up. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'control', name: 'dead_letter' })
export class DeadLetterEntity {
  @PrimaryColumn({ name: 'id', type: 'uuid' })
  id!: string;
  @Column({ name: 'topic', type: 'text' })
  topic!: string;
  @Column({ name: 'partition', type: 'integer' })
  partition!: number;
  @Column({ name: 'offset_number', type: 'bigint' })
  offsetNumber!: number;
  @Column({ name: 'group_name', type: 'text' })
  groupName!: string;
  @Column({ name: 'key', type: 'text' })
  key!: string;
  @Column({ name: 'error_code', type: 'text' })
  errorCode!: string;
  @Column({ name: 'reason', type: 'text' })
  reason!: string;
  @Column({ name: 'attempts', type: 'integer' })
  attempts!: number;
  @Column({ name: 'original', type: 'text' })
  original!: string;
  @Column({ name: 'state', type: 'text' })
  state!: string;
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt!: Date | null;
  @Column({ name: 'replay_requested_at', type: 'timestamptz', nullable: true })
  replayRequestedAt!: Date | null;
}
