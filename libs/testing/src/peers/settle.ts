// Lets everything that is under way in this process happen, without waiting for any time to pass.

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}
