import { describe, expect, it } from '@jest/globals';
import { UnavailableError } from '@perennia/errors';
import { createLogger } from './logger.js';

const CANARY = 'Kanarienvogel^Zoë';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger('test', { destination: { write: (line) => lines.push(line) } }));
  return lines.join('');
}

describe('the log never carries patient data', () => {
  it.each([
    ['a telling key', { patientName: CANARY }],
    ['a telling key one level down', { study: { patientId: CANARY } }],
    ['a telling key two levels down', { batch: { first: { accessionNumber: CANARY } } }],
    ['parameters of a statement', { parameters: [CANARY] }],
  ])('given %s, when logged, then it is masked', (_, fields) => {
    const line = logged((log) => log.info(fields, 'sample'));
    expect(line).not.toContain('Kanarienvogel');
    expect(line).toContain('[masked]');
  });

  it('given a database error that quotes values, when logged, then only its SQLSTATE and names remain', () => {
    const driverError = Object.assign(new Error(`invalid input syntax for type date: "${CANARY}"`), {
      severity: 'ERROR', code: '22007', detail: `Key (search_name)=(${CANARY})`, table: 'patient',
    });
    const failed = Object.assign(new Error(driverError.message), { driverError, parameters: [CANARY], query: `select '${CANARY}'` });
    const line = logged((log) => log.error({ err: new UnavailableError('The database refused the batch', { cause: failed }) }, 'batch failed'));
    expect(line).not.toContain('Kanarienvogel');
    expect(JSON.parse(line).err.cause).toMatchObject({ code: '22007', table: 'patient' });
  });
});
