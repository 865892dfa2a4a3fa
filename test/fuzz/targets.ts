import fc from 'fast-check';
import { anyRawContainer } from './containers.js';
import { checkEntries } from './discover.js';
import { anyEntries } from './entries.js';
import { checkCheckWords, checkLogLine, checkSavedState } from './haproxy-words.js';
import type { Kit } from './kit.js';
import { checkContainer } from './register.js';
import { anyCheckWords, anyLogLine, anySavedState } from './words.js';

/** One way in for what is hostile, with all the ways out. */
export interface Target {
  readonly name: string;
  /** Of a thousand cases, so many. */
  readonly share: number;
  /** @throws in a run of its own, where something comes out that may not */
  readonly propertyWith: (kit: Kit) => fc.IProperty<[unknown]>;
}

function target<T>(name: string, share: number, any: fc.Arbitrary<T>, check: (value: T, kit: Kit) => void): Target {
  const propertyWith = (kit: Kit): fc.IProperty<[unknown]> =>
    fc.property(any, (value) => {
      kit.cases += 1;
      check(value, kit);
    });
  return { name, share, propertyWith };
}

export const targets: readonly Target[] = [
  target('containers', 350, anyRawContainer, (raw, kit) => {
    const entries = checkContainer(raw, kit);
    // All the way through, now and then: from a label to haproxy.cfg.
    if (entries.length > 0 && kit.cases % 3 === 0) checkEntries(entries, kit);
  }),
  target('keys', 400, anyEntries, checkEntries),
  target('lines', 150, anyLogLine, checkLogLine),
  target('checks', 50, anyCheckWords, checkCheckWords),
  target('state', 50, anySavedState, checkSavedState),
];
