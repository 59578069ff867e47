// Every option of a set of sections with what is documented about it: the one list behind loading, `vna config` and the page.
import { IllegalStateError } from '@perennia/errors';
import type { z } from 'zod';
import type { ConfigSection } from './define-config.js';
import type { OptionMeta } from './options.js';

export interface ConfigOption extends OptionMeta {
  section: ConfigSection;
  key: string;
  /** As in the file: `ingest.port`. */
  path: string;
  /** `VNA_INGEST_PORT`. */
  variable: string;
  schema: z.ZodType;
  defaultValue: unknown;
}

const upperSnake = (text: string): string => text.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[-.]/g, '_').toUpperCase();

export const variableOf = (section: string, key: string): string =>
  ['VNA', ...(section === '' ? [] : [upperSnake(section)]), upperSnake(key)].join('_');

/** Metadata may stand on the option or on what it wraps (`.default()` after `.describe()`): the outermost wins. */
function metaOf(schema: z.ZodType): OptionMeta {
  const inner = (schema as { _zod: { def: { innerType?: z.ZodType } } })._zod.def.innerType;
  return { ...(inner ? metaOf(inner) : {}), ...(schema.meta() as OptionMeta | undefined) };
}

/** @throws IllegalStateError when an option is undocumented or has no default, or two share a variable: defects of ours */
export function optionsOf(sections: readonly ConfigSection[]): ConfigOption[] {
  const variables = new Set<string>();
  return sections.flatMap((section) =>
    Object.entries(section.schema.shape).map(([key, shape]) => {
      const schema = shape as z.ZodType;
      const path = section.section === '' ? key : `${section.section}.${key}`;
      const variable = variableOf(section.section, key);
      const fallback = schema.safeParse(undefined);
      const meta = metaOf(schema);
      if (!fallback.success) throw new IllegalStateError(`Option ${path} has no default`);
      if (!meta.description) throw new IllegalStateError(`Option ${path} is not documented`);
      if (variables.has(variable)) throw new IllegalStateError(`Two options share the variable ${variable}`);
      variables.add(variable);
      return { ...meta, section, key, path, variable, schema, defaultValue: fallback.data };
    }),
  );
}
