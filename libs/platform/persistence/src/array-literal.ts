// Arrays as PostgreSQL reads them (manual §8.15.6). pg escapes each element with two regular expressions and does so for numbers and
// identifiers too: a twelfth of what the indexer does.

const NEEDS_ESCAPE = /["\\]/;

/** The parameters with arrays of text, numbers and booleans written out; anything else is left to pg. */
export function withArrayLiterals(parameters: readonly unknown[]): unknown[] {
  return parameters.map((parameter) => (Array.isArray(parameter) ? (arrayLiteral(parameter) ?? parameter) : parameter));
}

/** @returns undefined when an element is of another kind */
export function arrayLiteral(values: readonly unknown[]): string | undefined {
  let literal = '{';
  for (const value of values) {
    if (literal.length > 1) literal += ',';
    if (typeof value === 'string') literal += `"${NEEDS_ESCAPE.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`;
    else if (typeof value === 'number' || typeof value === 'boolean') literal += value;
    else if (value === null || value === undefined) literal += 'NULL';
    else return undefined;
  }
  return `${literal}}`;
}
