import { kindOf, type FaultKind, type Target, type Thing } from './kinds.js';
import { randomOf } from './random.js';

/** A fault that will be: all times in ms since the start of the load. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly target: Target;
  readonly atMs: number;
  readonly durationMs: number;
  readonly takes: readonly Thing[];
}

export interface PlanOptions {
  readonly seed: number;
  /** When the last fault has ended. */
  readonly endMs: number;
  readonly kinds: readonly FaultKind[];
}

/** The load alone, to compare with. */
const quietMs = 5_000;
/** So many faults may last at the same time. */
const lanes = 2;
const pauseMs = { least: 500, most: 5_000 };
/** Before something that was taken is taken again. Endpoints of a host that was cut off have come back by then. */
const recoveryMs = 2_000;
const capacityRecoveryMs = 12_000;

export function recoveryMsOf(takes: readonly Thing[]): number {
  return takes.includes('capacity') ? capacityRecoveryMs : recoveryMs;
}

/**
 * All faults of a run: a pure function of the seed. Each kind comes once before one comes twice. Faults overlap, but never two that
 * take the same thing, and never two that take the endpoints of a back-end host, which with two hosts would be the last.
 */
export function planOf({ seed, endMs, kinds }: PlanOptions): PlannedFault[] {
  const random = randomOf(seed);
  const plan: PlannedFault[] = [];
  const freeAt = Array.from({ length: lanes }, () => quietMs + random.between(0, pauseMs.most));
  let deck: FaultKind[] = [];
  for (;;) {
    const lane = freeAt.indexOf(Math.min(...freeAt));
    const atMs = freeAt[lane] ?? endMs;
    if (atMs >= endMs) return plan.sort((a, b) => a.atMs - b.atMs);
    if (deck.length === 0) deck = random.shuffled(kinds);
    const fault = firstThatFits(deck, { atMs, endMs, plan, random });
    if (fault === null) {
      freeAt[lane] = atMs + pauseMs.least;
      continue;
    }
    deck.splice(deck.indexOf(fault.kind), 1);
    plan.push(fault);
    freeAt[lane] = atMs + fault.durationMs + random.between(pauseMs.least, pauseMs.most);
  }
}

interface Slot {
  readonly atMs: number;
  readonly endMs: number;
  readonly plan: readonly PlannedFault[];
  readonly random: ReturnType<typeof randomOf>;
}

function firstThatFits(deck: readonly FaultKind[], { atMs, endMs, plan, random }: Slot): PlannedFault | null {
  const taken = new Set(
    plan
      .filter((other) => other.atMs + other.durationMs + recoveryMsOf(other.takes) > atMs)
      .flatMap(({ takes }) => takes),
  );
  for (const kind of deck) {
    const { targets, takes, leastMs, mostMs } = kindOf(kind);
    const room = Math.min(mostMs, endMs - atMs);
    if (room < leastMs) continue;
    const free = targets.filter((target) => !takes(target).some((thing) => taken.has(thing)));
    if (free.length === 0) continue;
    const target = random.pick(free);
    // Squared: short faults are more frequent than long ones, and more of them fit.
    const durationMs = Math.round(leastMs + (room - leastMs) * random.next() ** 2);
    return { kind, target, atMs, durationMs, takes: takes(target) };
  }
  return null;
}

/** `t+01:05`: minutes and seconds since the start of the load. */
export function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `t+${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

export function lineOf({ kind, target, atMs, durationMs }: PlannedFault): string {
  const length = durationMs === 0 ? 'at once' : `${(durationMs / 1_000).toFixed(1)} s`;
  return `${clockOf(atMs)}  ${kind} on ${target}, ${length}`;
}
