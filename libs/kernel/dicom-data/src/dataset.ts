// A small dataset in memory, elements ascending by tag: for File Meta Information, command line tools, builders and tests.
// Received objects never become one: they are streamed.
import { lookupTag, tagOfKeyword } from './dictionary.js';
import { type Tag } from './tag.js';

/** Encapsulated pixel data (PS3.5 §A.4): the basic offset table, empty unless given, and the fragments. */
export class Fragments {
  constructor(readonly fragments: readonly Uint8Array[], readonly basicOffsets: readonly number[] = []) {}
}

type Scalar = string | number | bigint;
/** Text (multi-valued joined by a backslash or as an array), numbers, bytes, items of a sequence, or fragments. */
export type ElementValue = Scalar | readonly Scalar[] | Uint8Array | readonly Dataset[] | Fragments;

export interface Element {
  tag: Tag;
  vr: string;
  value: ElementValue;
}

export class Dataset {
  private readonly elements = new Map<Tag, Element>();

  /** Sets an element; without `vr` the dictionary's first one is taken. An empty string or array is an empty value. */
  set(tagOrKeyword: Tag | string, value: ElementValue, vr?: string): this {
    const tag = tagFor(tagOrKeyword);
    this.elements.set(tag, { tag, vr: vr ?? lookupTag(tag)?.vr ?? ((tag & 0xffff) === 0 ? 'UL' : 'UN'), value });
    return this;
  }

  delete(tagOrKeyword: Tag | string): this {
    this.elements.delete(tagFor(tagOrKeyword));
    return this;
  }

  get(tagOrKeyword: Tag | string): ElementValue | undefined {
    return this.elements.get(tagFor(tagOrKeyword))?.value;
  }

  /** All elements, ascending by tag (PS3.5 §7.1). */
  *[Symbol.iterator](): IterableIterator<Element> {
    yield* [...this.elements.values()].toSorted((a, b) => a.tag - b.tag);
  }
}

function tagFor(tagOrKeyword: Tag | string): Tag {
  const tag = typeof tagOrKeyword === 'number' ? tagOrKeyword : tagOfKeyword(tagOrKeyword);
  if (tag === undefined) throw new RangeError('No element of the data dictionary has this keyword.');
  return tag;
}
