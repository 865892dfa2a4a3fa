import type { Logger } from '../ports/log.js';

/** What HAProxy refused is offered again after this time: the cause may have been the machine's, not the text's. */
const againAfterMs = 60_000;

/** The configuration that HAProxy refused last: told once, and not offered again for a while. */
export interface Refusal {
  /** @param isTold somebody else tells of it */
  note(refused: { readonly text: string; readonly fault: string; readonly reason: string }, isTold: boolean): void;
  /** HAProxy did not take this text, a short while ago. */
  isOf(text: string): boolean;
  /** What was refused is no longer wanted, or was taken. */
  forget(): void;
  /** HAProxy's words; null where it took what was last offered. */
  fault(): string | null;
}

const words = {
  haproxy: 'HAProxy refuses the configuration; the last good one stands',
  exec: 'the file is refused; the one before stands',
} as const;

export function createRefusal(log: Logger, who: keyof typeof words = 'haproxy'): Refusal {
  let refused: { readonly text: string; readonly fault: string; readonly atMs: number } | null = null;
  return {
    note({ text, fault, reason }, isTold) {
      const isKnown = fault === refused?.fault;
      refused = { text, fault, atMs: performance.now() };
      if (!isKnown && !isTold) log.error({ reason, fault }, words[who]);
    },
    isOf: (text) => text === refused?.text && performance.now() - refused.atMs < againAfterMs,
    forget() {
      refused = null;
    },
    fault: () => refused?.fault ?? null,
  };
}
