// Collects bound parameters while a statement is put together; a value never becomes part of the text.

export class SqlText {
  readonly parameters: unknown[] = [];

  /** Binds the value and gives its placeholder. @param type for the server where it cannot tell */
  bind(value: unknown, type?: string): string {
    this.parameters.push(value);
    return `$${this.parameters.length}${type === undefined ? '' : `::${type}`}`;
  }
}

/** A DICOM pattern as one of LIKE: `*` and `?` are wildcards when they are allowed to be. */
export function likePattern(value: string, wildcards: boolean): string {
  const escaped = value.replace(/[\\%_]/g, '\\$&');
  return wildcards ? escaped.replaceAll('*', '%').replaceAll('?', '_') : escaped;
}
