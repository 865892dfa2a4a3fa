/** Like Promise.all, but when one fails it waits for the others to end before it rejects: nothing goes on behind our back. */
export async function settled<const T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const outcomes = await Promise.allSettled(promises);
  // Several that waited for the same thing fail for the same reason.
  const reasons = new Set(
    outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])),
  );
  const [first] = reasons;
  if (reasons.size === 1) throw first;
  if (reasons.size > 1) {
    const messages = [...reasons].map((reason) => (reason instanceof Error ? reason.message : String(reason)));
    throw new AggregateError([...reasons], messages.join('\n'));
  }
  return Promise.all(promises);
}
