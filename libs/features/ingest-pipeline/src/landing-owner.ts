/** Name of the landing area of this process (also the folder below `landing/`); given by the composition root. */
export class LandingOwner {
  constructor(readonly name: string) {}
}
