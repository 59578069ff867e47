// A presentation context on which something may be invoked.

export interface UsableContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
}
