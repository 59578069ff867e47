// What a person sees when the archive cannot start: one sentence, its remedy, no stack trace.
import { ArchiveError } from '@perennia/errors';
import { errorForLog } from '@perennia/telemetry';

export interface StartFailure {
  message: string;
  remedy: string | undefined;
  /** Whether the same start may succeed a moment later. */
  retriable: boolean;
}

export const EXIT_CANNOT_START = 2;

export function toStartFailure(thrown: unknown): StartFailure {
  if (thrown instanceof ArchiveError) return { message: thrown.message, remedy: thrown.remedy, retriable: thrown.retriable };
  const { message, code } = errorForLog(thrown);
  return { message: `The archive could not start: ${String(message ?? 'unknown error')}${code ? ` (${String(code)})` : ''}`, remedy: undefined, retriable: false };
}

const sentence = (text: string): string => `${text.replaceAll(/\s+/g, ' ').trim().replace(/[.]?$/, '')}.`;

export const formatStartFailure = ({ message, remedy }: StartFailure): string =>
  `Perennia: ${sentence(message)}${remedy ? ` ${sentence(remedy)}` : ''}\n`;
