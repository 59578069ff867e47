// Names of a landing area in an object store. `work/landing/{owner}/…`:
//   log/{number}        the log: groups of records, marks and fences, numbered without holes
//   big@{generation}    one large object
// and how positions and places follow from the numbers: a segment is a run of numbers, its generation is twice the first, and the upper part
// of an offset counts the numbers from there. Whoever has a place needs no listing to find its object.
import { InvalidInputError } from '@perennia/errors';
import { workKey } from '@perennia/storage';

const OWNER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const DIGITS = 16;
const LOG = /^log\/(\d+)$/;
const LARGE = /^big@(\d+)$/;
/** Bytes of an offset for each number; no group is as large. */
const STRIDE = 2 ** 32;

const padded = (value: number): string => String(value).padStart(DIGITS, '0');

export const segmentGeneration = (firstNumber: number): number => 2 * firstNumber;
/** @param count of all large objects of the area so far */
export const largeGeneration = (count: number): number => 2 * count + 1;
/** Of the first byte of the object with that number. */
export const offsetOf = (generation: number, number: number): number => (number - generation / 2) * STRIDE;

/** The number of the object that has the byte, and where in it. */
export function numberAt(generation: number, offset: number): { number: number; at: number } {
  return { number: generation / 2 + Math.floor(offset / STRIDE), at: offset % STRIDE };
}

export class LandingKeys {
  constructor(readonly owner: string) {
    if (!OWNER.test(owner)) throw new InvalidInputError('The owner of a landing area has a name of letters, digits, dot, dash and underscore.');
  }

  /** Of every key of the area. */
  get prefix(): string {
    return `work/landing/${this.owner}/`;
  }
  get logPrefix(): string {
    return `${this.prefix}log/`;
  }
  log(number: number): string {
    return workKey('landing', this.owner, 'log', padded(number));
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

  parseLog(key: string): number | undefined {
    return this.numberIn(key, LOG);
  }
  parseLarge(key: string): number | undefined {
    return this.numberIn(key, LARGE);
  }

  private numberIn(key: string, pattern: RegExp): number | undefined {
    const found = key.startsWith(this.prefix) ? pattern.exec(key.slice(this.prefix.length)) : null;
    return found ? Number(found[1]) : undefined;
  }
}

const PLACE = /^([^/]+)\/(seg|big)@(\d+)$/;

/** @throws InvalidInputError for what is not a place of a landing area */
export function parsePlaceKey(key: string): { keys: LandingKeys; kind: 'seg' | 'big'; generation: number } {
  const [, owner, kind, generation] = PLACE.exec(key) ?? [];
  if (owner === undefined) throw new InvalidInputError('The place is not one of a landing area.');
  return { keys: new LandingKeys(owner), kind: kind as 'seg' | 'big', generation: Number(generation) };
}
