/** What was done so far. */
export interface Tally {
  /** A text came to a sink. */
  sink(name: string, text: string): void;
  /** What became of something: `key accepted`. */
  outcome(name: string, count?: number): void;
  lines(): string[];
}

interface Sum {
  texts: number;
  characters: number;
}

export function createTally(): Tally {
  const sinks = new Map<string, Sum>();
  const outcomes = new Map<string, number>();
  return {
    sink(name, text) {
      const sum = sinks.get(name) ?? { texts: 0, characters: 0 };
      sum.texts += 1;
      sum.characters += text.length;
      sinks.set(name, sum);
    },

    outcome(name, count = 1) {
      outcomes.set(name, (outcomes.get(name) ?? 0) + count);
    },

    lines: () => [
      'what came to each sink:',
      ...[...sinks]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(
          ([name, { texts, characters }]) =>
            `  ${name.padEnd(28)}${shown(texts)} texts, ${shown(characters)} characters`,
        ),
      'what became of it:',
      ...[...outcomes]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `  ${name.padEnd(36)}${shown(count)}`),
    ],
  };
}

function shown(count: number): string {
  return count.toLocaleString('en').padStart(14);
}
