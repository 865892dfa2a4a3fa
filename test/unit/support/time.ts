import { vi } from 'vitest';

const mostSteps = 1_000;

/** Lets the daemon run, from timer to timer of the fake clock, until `condition` holds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  await settle();
  for (let step = 0; !condition(); step += 1) {
    if (step === mostSteps) throw new Error(`never came: ${what}`);
    if (vi.getTimerCount() === 0) throw new Error(`nothing goes on, and this has not come: ${what}`);
    await vi.advanceTimersToNextTimerAsync();
  }
}

/** Lets everything run that waits for no timer. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Lets the fake clock run on. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
