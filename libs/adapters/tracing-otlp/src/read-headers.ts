// Headers that a collector asks for, from a file: they are secrets, and belong neither into the configuration nor into the environment.
import { readFileSync } from 'node:fs';
import { ConfigurationError } from '@perennia/errors';

/** Token, colon, visible characters (RFC 9110 §5.5). */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e][\x20-\x7e]*)$/;

/** One `name: value` in each line; empty lines and lines that begin with # are left out. @throws ConfigurationError that shows no value */
export function readHeaders(path: string): Record<string, string> {
  const lines = textOf(path).split(/\r?\n/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  return Object.fromEntries(lines.filter(({ line }) => line !== '' && !line.startsWith('#')).map(({ line, number }) => {
    const found = LINE.exec(line);
    if (!found) throw new ConfigurationError(`Line ${number} of the file of headers ${path} is no header`, { remedy: 'Write one "name: value" in each line' });
    return [found[1]!.toLowerCase(), found[2]!];
  }));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(`The file of headers ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause, remedy: 'Name a readable file with VNA_TELEMETRY_HEADERS_FILE' });
  }
}
