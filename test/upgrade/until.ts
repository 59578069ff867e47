/** Polls, because no event crosses the border of the process. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 40_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error('It did not come true in time');
    await new Promise((done) => setTimeout(done, 50));
  }
}
