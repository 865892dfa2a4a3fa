import { setTimeout as sleep } from 'node:timers/promises';
import { faults } from './faults.js';
import { recoveryMsOf, type PlannedFault } from './plan.js';
import type { Stage } from './stage.js';

/**
 * Lets the planned faults happen, and resolves when the last has ended. On a slow machine one may end later than planned; what needs
 * the same things then waits for it.
 */
export async function play(stage: Stage, plan: readonly PlannedFault[]): Promise<void> {
  const { timeline } = stage;
  const before: { readonly fault: PlannedFault; readonly recovered: Promise<unknown> }[] = [];
  const ended = plan.map((fault) => {
    const waitFor = before.filter(({ fault: { takes } }) => takes.some((thing) => fault.takes.includes(thing)));
    const done = (async () => {
      await sleep(timeline.startedAtMs() + fault.atMs - Date.now());
      await Promise.all(waitFor.map(({ recovered }) => recovered));
      await happen(stage, fault);
    })();
    // Who waits for one that failed need not fail for it too: the first failure ends the run.
    const recovered = done.then(
      () => sleep(recoveryMsOf(fault.takes)),
      () => undefined,
    );
    before.push({ fault, recovered });
    return done;
  });
  await Promise.all(ended);
}

async function happen(stage: Stage, { kind, target, durationMs }: PlannedFault): Promise<void> {
  const { timeline } = stage;
  const what = `${kind} on ${target}`;
  timeline.say(durationMs === 0 ? what : `${what} begins, for ${(durationMs / 1_000).toFixed(1)} s`);
  const end = await faults[kind](stage, target);
  await sleep(durationMs);
  await end();
  if (durationMs > 0) timeline.say(`${what} has ended`);
  else timeline.note(`${what} is done`);
}
