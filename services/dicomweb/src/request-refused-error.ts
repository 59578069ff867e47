// A request that HTTP itself has a status for, met before any archive logic.

export class RequestRefusedError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'RequestRefusedError';
  }
}
