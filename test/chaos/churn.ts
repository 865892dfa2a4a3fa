import { setTimeout as sleep } from 'node:timers/promises';
import type { Life } from './facts.js';
import type { Fleet } from './fleet.js';
import { randomOf, type Random } from './random.js';
import { guest, isSettled, services, share, type Stage } from './stage.js';

const pauseMs = { least: 300, most: 2_000 };

export interface Churn {
  /** Rejects when it can't go on. */
  readonly broken: Promise<never>;
  /** Resolves when the last change is done. */
  end(): Promise<void>;
}

/**
 * Containers of all back-end hosts come and go until the end. Of each service one that every client host has had in its pool always
 * stays on each host: else there would soon be nobody left to serve while etcd is away, and nothing to be found out.
 */
export function startChurn(stage: Stage, seed: number): Churn {
  let over = false;
  const changeOn = async (fleet: Fleet, random: Random): Promise<void> => {
    while (!over) {
      await sleep(random.between(pauseMs.least, pauseMs.most));
      await fleet.alone(async () => {
        if (!over) await change(stage, fleet, random);
      });
    }
  };
  const changes = Promise.all(stage.fleets.map((fleet, at) => changeOn(fleet, randomOf(seed + 1 + at))));
  return {
    broken: new Promise((_resolve, reject) => {
      changes.catch(reject);
    }),
    end: async () => {
      over = true;
      await changes;
    },
  };
}

async function change(stage: Stage, fleet: Fleet, random: Random): Promise<void> {
  if (random.next() < 0.1) {
    await changeGuest(stage, fleet);
    return;
  }
  const service = random.pick(services);
  const living = fleet.living(service.name);
  const old = living.filter((life) => living.some((other) => other !== life && isSettled(stage, other.id)));
  const grow = living.length < share + 1 && (old.length === 0 || random.next() < 0.5);
  if (grow) {
    await fleet.start(service);
    stage.timeline.note(`${fleet.name} started ${fleet.lives.at(-1)?.id ?? ''} of ${service.name}`);
  } else if (old.length > 0) {
    await end(stage, fleet, { life: random.pick(old), how: random.next() < 0.6 ? 'stop' : 'kill' });
  }
}

async function changeGuest(stage: Stage, fleet: Fleet): Promise<void> {
  const [life] = fleet.living(guest.name);
  if (life !== undefined) {
    await end(stage, fleet, { life, how: 'stop' });
    return;
  }
  await fleet.start(guest);
  stage.timeline.note(`${fleet.name} started ${fleet.lives.at(-1)?.id ?? ''} of ${guest.name}`);
}

async function end(
  { timeline }: Stage,
  fleet: Fleet,
  { life, how }: { life: Life; how: 'stop' | 'kill' },
): Promise<void> {
  timeline.note(`${fleet.name}: docker ${how} ${life.id} of ${life.service}`);
  await fleet[how](life);
  timeline.note(`${fleet.name}: ${life.id} has ended`);
}
