// Libraries written in C say what is wrong with a codestream in a line of text, and then give a picture all the same.

export class LibraryMessages {
  #complaint: string | undefined;

  /** @param complaints which lines mean that samples are missing or made up */
  constructor(private readonly complaints: RegExp) {}

  readonly add = (line: string): void => {
    if (this.complaints.test(line)) this.#complaint ??= line.trim();
  };

  /** The first complaint since it was asked for the last time. */
  take(): string | undefined {
    const complaint = this.#complaint;
    this.#complaint = undefined;
    return complaint;
  }
}
