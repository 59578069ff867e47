// Why a stage of a verification failed, for people.

export class StageFailure extends Error {
  override readonly name = 'StageFailure';

  /** @param found what happened. @param remedy what a person can do about it. Both plain sentences, without a full stop at the end */
  constructor(readonly found: string, readonly remedy: string) {
    super(found);
  }
}

/** What Node's errors of names, sockets and TLS carry. */
export const errorCode = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown reason');
