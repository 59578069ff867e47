// Body of every refusal: RFC 9457 problem details, in plain words, without patient data.

export interface ProblemDetails {
  /** Stable, `urn:perennia:problem:<code>`. */
  type: string;
  title: string;
  status: number;
  detail: string;
  /** What a person can do about it. */
  remedy?: string;
}
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Request timed out',
  409: 'Conflict',
  411: 'Length required',
  413: 'Too large',
  414: 'URI too long',
  415: 'Unsupported media type',
  416: 'Range not satisfiable',
  431: 'Header fields too large',
  500: 'Internal error',
  503: 'Temporarily unavailable',
  507: 'No room left',
};

export function problemDetails(status: number, code: string, detail: string, remedy?: string): ProblemDetails {
  const type = `urn:perennia:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  return { type, title: TITLES[status] ?? 'Request failed', status, detail, ...(remedy === undefined ? {} : { remedy }) };
}
