/** Waits until the question gives something; fails with what it said last after five seconds. */
export async function eventually(question: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    try {
      await question();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Lets the controller react to what it might, where nothing is expected to happen. */
export async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}
