import { clockOf } from './plan.js';

export interface Event {
  readonly atMs: number;
  readonly text: string;
}

export interface Timeline {
  /** Now is t+00:00. */
  start(): void;
  /** Ms since 1970. */
  startedAtMs(): number;
  /** Notes it, and prints it. */
  say(text: string): void;
  /** Notes it, for whoever asks later. */
  note(text: string): void;
  events(): readonly Event[];
}

export function openTimeline(): Timeline {
  const events: Event[] = [];
  let startedAtMs = Date.now();
  const note = (text: string): void => {
    events.push({ atMs: Date.now(), text });
  };
  return {
    start: () => {
      startedAtMs = Date.now();
    },
    startedAtMs: () => startedAtMs,
    say: (text) => {
      note(text);
      console.log(`${clockOf(Date.now() - startedAtMs)}  ${text}`);
    },
    note,
    events: () => events,
  };
}
