// A configuration section: one zod object, one class. The class is the type of the values and the Nest token under which
// they are injected; the product's configuration is the sum of all sections.
//
//   export class IngestConfig extends defineConfig('ingest', z.object({ port: portOption('DICOM port', 11112) })) {}
//   constructor(private readonly config: IngestConfig) {}
import { ConfigurationError } from '@perennia/errors';
import { z } from 'zod';

/** Any section: what the loader and the reference page work with. */
export interface ConfigSection {
  new (values: never): object;
  /** Name in the file (`ingest:`) and in `VNA_INGEST_…`; empty for the options at the top level. */
  readonly section: string;
  readonly schema: z.ZodObject;
}

/** A section whose values are known to the compiler. */
export interface TypedConfigSection<Name extends string, Shape extends z.ZodRawShape> {
  new (values: z.output<z.ZodObject<Shape>>): z.output<z.ZodObject<Shape>>;
  readonly section: Name;
  readonly schema: z.ZodObject<Shape>;
  /** Defaults with the given differences, validated: for tests and tools. @throws ConfigurationError */
  with<Self>(this: new (values: never) => Self, differences?: Partial<z.input<z.ZodObject<Shape>>>): Self;
}

export function defineConfig<const Name extends string, Shape extends z.ZodRawShape>(
  section: Name,
  schema: z.ZodObject<Shape>,
): TypedConfigSection<Name, Shape> {
  const strict = schema.strict();
  class Section {
    static readonly section = section;
    static readonly schema = schema;
    static with(this: new (values: unknown) => Section, differences: object = {}): Section {
      const result = strict.safeParse(differences);
      if (!result.success) throw new ConfigurationError(`Section "${section}": ${z.prettifyError(result.error)}`);
      return new this(result.data);
    }
    constructor(values: object) {
      Object.assign(this, values);
    }
  }
  return Section as unknown as TypedConfigSection<Name, Shape>;
}
