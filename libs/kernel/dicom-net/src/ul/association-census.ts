// Counts associations, in all and by calling AE title, and says when one more would be too many.
import type { AcceptorLimits } from './acceptor-limits.js';

export class AssociationCensus {
  readonly #byCallingAet = new Map<string, number>();
  #total = 0;

  constructor(private readonly limits: Pick<AcceptorLimits, 'maxAssociations' | 'maxAssociationsPerCallingAet'>) {}

  get total(): number {
    return this.#total;
  }

  /** Counts one in, unless a limit is reached. */
  enter(callingAet: string): boolean {
    const ofThisAet = this.#byCallingAet.get(callingAet) ?? 0;
    if (this.#total >= this.limits.maxAssociations || ofThisAet >= this.limits.maxAssociationsPerCallingAet) return false;
    this.#byCallingAet.set(callingAet, ofThisAet + 1);
    this.#total++;
    return true;
  }

  leave(callingAet: string): void {
    const ofThisAet = this.#byCallingAet.get(callingAet) ?? 0;
    if (ofThisAet > 1) this.#byCallingAet.set(callingAet, ofThisAet - 1);
    else this.#byCallingAet.delete(callingAet);
    this.#total--;
  }
}
