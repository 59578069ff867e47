// Where this installation lets objects land: on the disk of each machine, or in a tier that all machines share.
import type { Landing, PlaceReader } from '@perennia/storage';

export abstract class LandingAreas {
  /** Whether every machine reaches every area, so that one can work off what a process of another has left. */
  abstract readonly shared: boolean;
  /** Owners of the areas that are there. */
  abstract owners(): Promise<string[]>;
  /** To take objects in. */
  abstract open(owner: string): Promise<Landing>;
  /** To work off what a stopped process left; nothing new is taken. */
  abstract adopt(owner: string): Promise<Landing>;
  /** Reads what has landed in any of them. */
  abstract reader(): Promise<PlaceReader>;
  /** What will soon keep, or keeps, the areas opened here from taking objects, in words. */
  abstract trouble(): string | undefined;
}
