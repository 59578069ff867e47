// How far the relay of a landing area has come. Columns are explained where the migration makes them.
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ schema: 'imaging', name: 'relay_position' })
export class RelayPositionEntity {
  @PrimaryColumn({ name: 'owner', type: 'text' })
  owner!: string;
  @Column({ name: 'generation', type: 'bigint' })
  generation!: number;
  @Column({ name: 'offset_bytes', type: 'bigint' })
  offsetBytes!: number;
  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
