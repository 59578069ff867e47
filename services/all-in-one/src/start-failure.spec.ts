import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '@perennia/errors';
import { formatStartFailure, toStartFailure } from './start-failure.js';

describe('what a person sees when the archive cannot start', () => {
  it('given an error of ours, then its sentence and its remedy on one line', () => {
    const error = new ConfigurationError('Port 1 is in use.', { remedy: 'Choose another' });
    expect(formatStartFailure(toStartFailure(error))).toBe('Perennia: Port 1 is in use. Choose another.\n');
  });
  it('given a foreign error, then no stack trace and no quoted values', () => {
    const error = Object.assign(new Error('invalid input syntax: "DOE^JOHN"'), { severity: 'ERROR', code: '22P02' });
    expect(formatStartFailure(toStartFailure(error))).toBe('Perennia: The archive could not start: PostgreSQL error 22P02 (22P02).\n');
  });
});
