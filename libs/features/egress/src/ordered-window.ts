// Works on several items at once and gives the results in the order of the items. At most `width` are begun and not yet
// taken: this bounds the memory of a request, since nothing is begun while the receiver does not take.

export async function* orderedWindow<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const begun: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Taken later: until then a failure has a listener, so that it is no unhandled one.
      result.catch(() => undefined);
      begun.push(result);
      if (begun.length >= width) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    await Promise.allSettled(begun);
  }
}
