// Thrown by a service to answer one request with a failure status; the association lives on.

export class DimseFailure extends Error {
  readonly code = 'DIMSE_FAILURE';

  constructor(readonly status: number, readonly errorComment?: string) {
    super(errorComment ?? `DIMSE status 0x${status.toString(16).padStart(4, '0')}`);
    this.name = 'DimseFailure';
  }
}
