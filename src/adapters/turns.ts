export type Turns = <T>(operation: () => Promise<T>) => Promise<T>;

/** Lets so many operations run at once; the others wait for their turn, in the order in which they came. */
export function createTurns(most: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (operation) => {
    if (running < most) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await operation();
    } finally {
      const next = waiting.shift();
      // Who is next takes over the place, so that nobody slips in between.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
