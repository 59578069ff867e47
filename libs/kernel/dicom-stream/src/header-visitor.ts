// The visitor of the header tap: keeps the index attributes of the top level, watches pixel data go by, ignores the rest.
import { type DicomJsonElement, type FrameIndex } from '@perennia/contracts';
import { CharacterSet, type Tag, type TransferSyntax, VR, type VrCode } from '@perennia/dicom-data';
import { DatasetJsonVisitor } from './dataset-json-visitor.js';
import { type ElementReader } from './element-reader.js';
import { CAPTURE, DESCEND, type ElementAction, type ElementVisitor, isFragmented, SKIP, UNDEFINED_LENGTH } from './element-visitor.js';
import { FrameIndexBuilder, nativeFrameIndex } from './frame-index-builder.js';
import { type HeaderMemory } from './header-memory.js';
import { type HeaderSummary } from './header-summary.js';
import { INDEX_ATTRIBUTES, type IndexAttribute } from './index-attributes.js';
import { LevelReading } from './level-reading.js';
import { type InstanceSearch, integer, searchedOfInstance, searchedOfSeries, searchedOfStudy, type SeriesSearch, type StudySearch, text } from './search-attributes.js';

const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_DATA_PROVIDER_URL = 0x00287fe0;
const EXTENDED_OFFSET_TABLE = 0x7fe00001;
const FLOAT_PIXEL_DATA = 0x7fe00008;
const DOUBLE_FLOAT_PIXEL_DATA = 0x7fe00009;
const PIXEL_DATA = 0x7fe00010;
/** An index attribute longer than this is left out of the receipt (it stays in the object, as all others). */
const MAX_VALUE_BYTES = 2048;
/** A sequence longer than this is; receipts have to fit a record of the log. */
const MAX_SEQUENCE_BYTES = 16 * 1024;
/** Extended offset tables beyond this many bytes are not read; 2^21 frames. */
const MAX_OFFSET_TABLE_BYTES = 16 * 1024 * 1024;

export class HeaderVisitor implements ElementVisitor {
  private readonly levels: { study: LevelReading<StudySearch>; series: LevelReading<SeriesSearch>; instance: LevelReading<InstanceSearch> };
  readonly warnings = new Set<string>();
  private wanted: IndexAttribute | undefined;
  private reader!: ElementReader;

  /** Reads the sequence that is being kept, while there is one. */
  private sequence: DatasetJsonVisitor | undefined;
  private sequenceOf: IndexAttribute | undefined;
  private sequenceBytes = 0;

  private headerLength: number | undefined;
  private frames = 1;
  private frameIndex: FrameIndex = { kind: 'none' };
  private builder: FrameIndexBuilder | undefined;
  private extendedOffsets: Buffer | undefined;
  private hasUrl = false;

  /** @param memory what the sender's object before said */
  constructor(
    private readonly transferSyntax: TransferSyntax,
    private readonly defaultIssuer: string | undefined,
    private characterSet: CharacterSet,
    private readonly memory: HeaderMemory | undefined,
  ) {
    const known = memory?.take(this, defaultIssuer);
    this.levels = { study: new LevelReading(known?.study), series: new LevelReading(known?.series), instance: new LevelReading(known?.instance) };
  }

  attach(reader: ElementReader): void {
    this.reader = reader;
  }

  element(tag: Tag, vr: VrCode, length: number): ElementAction {
    if (this.sequence !== undefined) return this.sequence.element(tag, vr, length);
    const wanted = INDEX_ATTRIBUTES.get(tag);
    if (wanted === undefined) return tag >= EXTENDED_OFFSET_TABLE || tag === PIXEL_DATA_PROVIDER_URL ? this.pixelElement(tag, vr, length) : SKIP;
    if (wanted.vr === 'SQ') return vr === VR.SQ || vr === VR.UN || vr === 0 ? this.beginSequence(wanted, length) : SKIP;
    if (length > MAX_VALUE_BYTES || vr === VR.SQ) {
      this.warnings.add('an index attribute is too long and was left out of the index');
      return SKIP;
    }
    this.wanted = wanted;
    return CAPTURE;
  }

  value(tag: Tag, vr: VrCode, bytes: Buffer, start: number, end: number): void {
    if (this.builder !== undefined) this.builder.setBasicOffsets(bytes, start, end);
    else if (this.sequence !== undefined) this.sequence.value(tag, vr, bytes, start, end);
    else if (tag === EXTENDED_OFFSET_TABLE) this.extendedOffsets = Buffer.from(bytes.subarray(start, end));
    else this.keep(this.wanted!, vr, bytes, start, end);
  }

  startItem(): void {
    this.sequence!.startItem();
  }
  endItem(): void {
    this.sequence!.endItem();
  }
  endSequence(): void {
    this.sequence!.endSequence();
    if (!this.sequence!.isNested) this.keepSequence();
  }

  fragment(itemOffset: number, length: number): ElementAction {
    return this.builder!.fragment(itemOffset, length) ? CAPTURE : SKIP;
  }
  fragmentHead(head: number): void {
    this.builder!.fragmentHead(head);
  }
  endFragments(): void {
    this.frameIndex = this.builder!.encapsulated();
    this.builder = undefined;
  }

  /** The summary, once the reader has seen the end at `endOffset`. */
  summary(endOffset: number): HeaderSummary {
    const { levels, defaultIssuer } = this;
    const study = levels.study.end((dataset) => searchedOfStudy(dataset, defaultIssuer));
    const series = levels.series.end(searchedOfSeries);
    const instance = levels.instance.end(searchedOfInstance);
    this.end();
    if (levels.study.occursTwice || levels.series.occursTwice || levels.instance.occursTwice) this.warnings.add('an element occurs twice');
    const hasPixels = this.frameIndex.kind !== 'none';
    for (const warning of this.reader.warnings) this.warnings.add(warning);
    return {
      sopClassUid: text(instance.dataset, '00080016') ?? '',
      sopInstanceUid: text(instance.dataset, '00080018') ?? '',
      studyInstanceUid: text(study.dataset, '0020000D') ?? '',
      seriesInstanceUid: text(series.dataset, '0020000E') ?? '',
      numberOfFrames: hasPixels ? this.frames : 0,
      headerLength: this.headerLength ?? endOffset,
      frameIndex: this.frameIndex,
      attributes: { study: study.dataset, series: series.dataset, instance: instance.dataset },
      search: { ...study.search, ...series.search, ...instance.search },
      attributesText: `{"study":${study.datasetText},"series":${series.datasetText},"instance":${instance.datasetText}}`,
      searchText: joinObjects(study.searchText, series.searchText, instance.searchText),
      warnings: [...this.warnings],
    };
  }

  /** Nothing more is read. */
  end(): void {
    this.memory?.give(this);
  }

  // ---- index attributes ----------------------------------------------------------------------------------------------

  private keep(wanted: IndexAttribute, vr: VrCode, bytes: Buffer, start: number, end: number): void {
    const encoding = { vr, bigEndian: this.reader.bigEndian && vr !== VR.UN, characterSet: this.characterSet };
    const json = this.levels[wanted.level].value(wanted, encoding, bytes, start, end);
    if (wanted.tag === SPECIFIC_CHARACTER_SET) this.useCharacterSet(json);
  }

  private useCharacterSet(json: DicomJsonElement): void {
    const known = this.memory?.characterSet;
    this.characterSet = known?.of === json ? known.is : CharacterSet.of((json.Value ?? []).map((value) => (typeof value === 'string' ? value : '')));
    if (this.memory) this.memory.characterSet = { of: json, is: this.characterSet };
    if (this.characterSet.unknownTerms.length > 0) this.warnings.add('an unknown character set');
  }

  private beginSequence(wanted: IndexAttribute, length: number): ElementAction {
    if (length !== UNDEFINED_LENGTH && length > MAX_SEQUENCE_BYTES) {
      this.warnings.add('an index attribute is too long and was left out of the index');
      return SKIP;
    }
    this.sequenceOf = wanted;
    this.sequenceBytes = 0;
    this.sequence = new DatasetJsonVisitor(
      {
        // A sequence of unknown length shows its size only as it passes: beyond the bound it is walked through and dropped.
        bulkDataUri: (_vr, valueLength) => {
          this.sequenceBytes += valueLength + ELEMENT_OVERHEAD_BYTES;
          return this.sequenceBytes > MAX_SEQUENCE_BYTES ? '' : undefined;
        },
      },
      this.characterSet,
    );
    this.sequence.attach(this.reader);
    return this.sequence.element(wanted.tag, VR.SQ, length);
  }

  private keepSequence(): void {
    const wanted = this.sequenceOf!;
    if (this.sequenceBytes > MAX_SEQUENCE_BYTES) this.warnings.add('an index attribute is too long and was left out of the index');
    else this.levels[wanted.level].sequence(wanted, this.sequence!.dataset[wanted.key]!);
    this.sequence = undefined;
  }

  // ---- pixel data ----------------------------------------------------------------------------------------------------

  private pixelElement(tag: Tag, vr: VrCode, length: number): ElementAction {
    if (tag === PIXEL_DATA_PROVIDER_URL) this.hasUrl = true;
    if (tag === EXTENDED_OFFSET_TABLE) return length <= MAX_OFFSET_TABLE_BYTES ? CAPTURE : SKIP;
    if ((tag !== PIXEL_DATA && tag !== FLOAT_PIXEL_DATA && tag !== DOUBLE_FLOAT_PIXEL_DATA) || this.headerLength !== undefined) return SKIP;
    this.headerLength = this.reader.tagOffset;
    this.frames = this.numberOfFrames();
    if (length !== UNDEFINED_LENGTH) {
      this.frameIndex = this.nativeIndex(length);
      return SKIP;
    }
    if (!isFragmented(tag, vr)) {
      this.warnings.add('pixel data is a sequence');
      return SKIP;
    }
    this.builder = new FrameIndexBuilder(this.frames, this.transferSyntax.video);
    if (this.extendedOffsets !== undefined) this.builder.setExtendedOffsets(this.extendedOffsets, 0, this.extendedOffsets.length);
    return DESCEND;
  }

  private nativeIndex(length: number): FrameIndex {
    if (length === 0 && this.hasUrl) return { kind: 'none' };
    const instance = this.levels.instance.dataset;
    const index = nativeFrameIndex(this.frames, this.reader.valueOffset, length, {
      rows: integer(instance, '00280010') ?? 0,
      columns: integer(instance, '00280011') ?? 0,
      samplesPerPixel: integer(instance, '00280002') ?? 1,
      bitsAllocated: integer(instance, '00280100') ?? 0,
      photometricInterpretation: text(instance, '00280004') ?? '',
    });
    if (index.kind === 'ambiguous') this.warnings.add('pixel data is shorter than its frames');
    return index;
  }

  private numberOfFrames(): number {
    const instance = this.levels.instance.dataset;
    const frames = integer(instance, '00280008');
    if (frames !== null && frames >= 1) return frames;
    if (text(instance, '00280008') !== null) this.warnings.add('Number of Frames is not a positive number');
    return 1;
  }
}
/** Roughly what a key, a VR and brackets take in JSON; keeps many empty elements from being free. */
const ELEMENT_OVERHEAD_BYTES = 24;

/** One JSON object of the members of several that have some. */
function joinObjects(first: string, ...others: string[]): string {
  return `${first.slice(0, -1)}${others.map((other) => `,${other.slice(1, -1)}`).join('')}}`;
}
