// Names of a landing area in an object store. `work/landing/{owner}/…`:
//   epoch/{number}                                                who owns the area: the highest
//   seg@{generation}/{offset}.{objects}.{references}.{last}       one group of records of a segment; `last`: where its last record begins
//   big@{generation}                                              one large object
import { InvalidInputError } from '@perennia/errors';
import { workKey } from '@perennia/storage';

const OWNER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const DIGITS = 16;
const GROUP = /^seg@(\d+)\/(\d+)\.(\d+)\.(\d+)\.(\d+)$/;
const LARGE = /^big@(\d+)$/;
const EPOCH = /^epoch\/(\d+)$/;

/** A group as its name and size tell it. */
export interface GroupName {
  generation: number;
  /** Of its first byte within the segment. */
  offset: number;
  objects: number;
  references: number;
  /** Of the head of its last record, within the segment. */
  lastOffset: number;
}

const padded = (value: number): string => String(value).padStart(DIGITS, '0');

export class LandingKeys {
  constructor(readonly owner: string) {
    if (!OWNER.test(owner)) throw new InvalidInputError('The owner of a landing area has a name of letters, digits, dot, dash and underscore.');
  }

  /** Of every key of the area. */
  get prefix(): string {
    return `work/landing/${this.owner}/`;
  }
  segmentPrefix(generation: number): string {
    return `${this.prefix}seg@${padded(generation)}/`;
  }
  epoch(number: number): string {
    return workKey('landing', this.owner, 'epoch', padded(number));
  }
  group({ generation, offset, objects, references, lastOffset }: GroupName): string {
    return workKey('landing', this.owner, `seg@${padded(generation)}`, [padded(offset), objects, references, lastOffset].join('.'));
  }
  large(generation: number): string {
    return workKey('landing', this.owner, `big@${padded(generation)}`);
  }
  /** Key of a place in the segment. */
  segmentPlace(generation: number): string {
    return `${this.owner}/seg@${generation}`;
  }
  largePlace(generation: number): string {
    return `${this.owner}/big@${generation}`;
  }

  parseEpoch(key: string): number | undefined {
    return this.numbers(key, EPOCH)?.[0];
  }
  parseLarge(key: string): number | undefined {
    return this.numbers(key, LARGE)?.[0];
  }
  parseGroup(key: string): GroupName | undefined {
    const found = this.numbers(key, GROUP);
    if (!found) return undefined;
    const [generation, offset, objects, references, lastOffset] = found as [number, number, number, number, number];
    return { generation, offset, objects, references, lastOffset };
  }

  private numbers(key: string, pattern: RegExp): number[] | undefined {
    return key.startsWith(this.prefix) ? pattern.exec(key.slice(this.prefix.length))?.slice(1).map(Number) : undefined;
  }
}

const PLACE = /^([^/]+)\/(seg|big)@(\d+)$/;

/** @throws InvalidInputError for what is not a place of a landing area */
export function parsePlaceKey(key: string): { keys: LandingKeys; kind: 'seg' | 'big'; generation: number } {
  const [, owner, kind, generation] = PLACE.exec(key) ?? [];
  if (owner === undefined) throw new InvalidInputError('The place is not one of a landing area.');
  return { keys: new LandingKeys(owner), kind: kind as 'seg' | 'big', generation: Number(generation) };
}
