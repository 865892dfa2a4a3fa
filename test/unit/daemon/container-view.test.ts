import { describe, expect, test, vi } from 'vitest';
import type { ContainerSnapshot } from '../../../src/core/container.js';
import { createContainerView, type ContainerView } from '../../../src/daemon/container-view.js';
import type { ContainerEvent } from '../../../src/ports/container-engine.js';
import { containerId, containerWith } from '../support/containers.js';
import { deferred } from '../support/deferred.js';
import { FakeEngine } from '../support/fake-engine.js';
import { recordingLog } from '../support/log.js';

const { signal } = new AbortController();
const one = containerWith({ id: containerId('aaaaaaaaaaaa'), name: 'one' });
const two = containerWith({ id: containerId('bbbbbbbbbbbb'), name: 'two' });

interface Looking {
  readonly engine: FakeEngine;
  readonly view: ContainerView;
  readonly messages: (level: string) => string[];
}

function viewOf(...containers: ContainerSnapshot[]): Looking {
  const engine = new FakeEngine();
  engine.set(...containers);
  const { log, messages } = recordingLog();
  return { engine, view: createContainerView(engine, log), messages };
}

/** A view that has looked at everything once. */
async function looked(...containers: ContainerSnapshot[]): Promise<Looking> {
  const looking = viewOf(...containers);
  await looking.view.refresh(signal);
  looking.engine.calls.length = 0;
  return looking;
}

function namesOf(view: ContainerView): string[] {
  return [...view.snapshots()].map(({ name }) => name).sort();
}

describe('a look', () => {
  test('is at everything the first time', async () => {
    const { engine, view } = viewOf(one, two);
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['one', 'two']);
    expect(engine.calls).toEqual(['list']);
  });

  test('is at nothing when nothing was noted', async () => {
    const { engine, view } = await looked(one);
    await view.refresh(signal);
    expect(engine.calls).toEqual([]);
  });

  test('is at the one container of an event, however often it was noted', async () => {
    const { engine, view } = await looked(one);
    engine.set(two);
    view.note({ id: two.id, action: 'start', signal: null, atMs: null });
    view.note({ id: two.id, action: 'health_status', signal: null, atMs: null });
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['one', 'two']);
    expect(engine.calls).toEqual(['inspect']);
  });

  test('is at everything when an event may have been missed', async () => {
    const { engine, view } = await looked(one, two);
    engine.containers.delete(one.id);
    view.noteAll();
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['two']);
    expect(engine.calls).toEqual(['list']);
  });

  test.each([
    ['is gone', (engine: FakeEngine) => engine.containers.delete(one.id)],
    ['has stopped', (engine: FakeEngine) => engine.containers.set(one.id, { ...one, status: 'stopped' })],
  ])('forgets a container that %s', async (_what, happens) => {
    const { engine, view } = await looked(one, two);
    happens(engine);
    view.note({ id: one.id, action: 'die', signal: null, atMs: null });
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['two']);
  });

  test('keeps a container that is paused: that it is not registered is decided elsewhere', async () => {
    const { engine, view } = await looked(one);
    engine.set({ ...one, status: 'paused' });
    view.note({ id: one.id, action: 'pause', signal: null, atMs: null });
    await view.refresh(signal);
    expect([...view.snapshots()].map(({ status }) => status)).toEqual(['paused']);
  });
});

describe('where the engine can not be asked', () => {
  test('the view stays as it was, and the same look is due again', async () => {
    const { engine, view } = await looked(one);
    engine.containers.clear();
    engine.set(two);
    engine.failOn('list', 'inspect');
    view.noteAll();
    await expect(view.refresh(signal)).rejects.toThrow('Docker did not list');
    expect(namesOf(view)).toEqual(['one']);
    engine.recover();
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['two']);
  });

  test('a container that was noted is looked at again', async () => {
    const { engine, view } = await looked(one);
    engine.containers.delete(one.id);
    view.note({ id: one.id, action: 'die', signal: null, atMs: null });
    engine.failOn('inspect');
    await expect(view.refresh(signal)).rejects.toThrow('Docker did not inspect');
    expect(namesOf(view)).toEqual(['one']);
    engine.recover();
    await view.refresh(signal);
    expect(namesOf(view)).toEqual([]);
  });

  test('one that fails of several changes none of them', async () => {
    const { engine, view } = await looked(one, two);
    engine.containers.clear();
    view.note({ id: one.id, action: 'die', signal: null, atMs: null });
    view.note({ id: two.id, action: 'die', signal: null, atMs: null });
    let calls = 0;
    engine.before = () => {
      calls += 1;
      if (calls === 2) throw new Error('Docker broke');
    };
    await expect(view.refresh(signal)).rejects.toThrow('Docker broke');
    expect(namesOf(view)).toEqual(['one', 'two']);
  });

  test('what is noted during a look is looked at in the next', async () => {
    const { engine, view } = await looked(one);
    const answer = deferred();
    engine.before = () => answer.promise;
    view.note({ id: one.id, action: 'pause', signal: null, atMs: null });
    const look = view.refresh(signal);
    engine.containers.delete(one.id);
    view.note({ id: one.id, action: 'die', signal: null, atMs: null });
    answer.resolve();
    await look;
    engine.recover();
    await view.refresh(signal);
    expect(namesOf(view)).toEqual([]);
  });
});

describe('a container about which Docker is silent', () => {
  test('does not hide what happens to the others, and stays as it was', async () => {
    const { engine, view, messages } = await looked(one, two);
    engine.silent.add(one.id);
    engine.containers.delete(two.id);
    view.note({ id: one.id, action: 'pause', signal: null, atMs: null });
    view.note({ id: two.id, action: 'die', signal: null, atMs: null });
    await expect(view.refresh(signal)).rejects.toThrow('no answer in 10s');
    expect(await view.refresh(signal)).toBe(10_000);
    expect(namesOf(view)).toEqual(['one']);
    expect([...view.unknown()]).toEqual([]);
    view.noteAll();
    await view.refresh(signal);
    expect(messages('warn')).toEqual(['Docker does not answer about a container; it is left as it was']);

    engine.silent.clear();
    engine.containers.delete(one.id);
    view.noteAll();
    expect(await view.refresh(signal)).toBeNull();
    expect(namesOf(view)).toEqual([]);
    expect(messages('info')).toContain('Docker answers about the container again');
  });

  test('is known to be unknown where it has never been told of', async () => {
    const { engine, view } = viewOf(one, two);
    engine.silent.add(one.id);
    await view.refresh(signal);
    expect(namesOf(view)).toEqual(['two']);
    expect([...view.unknown()]).toEqual([one.id]);
  });
});

describe('a stop', () => {
  const kill = (number: number): ContainerEvent => ({ id: one.id, action: 'kill', signal: number, atMs: null });

  test('is announced by the container’s own stop signal', async () => {
    const { view } = await looked({ ...one, stopSignal: 3 });
    view.note(kill(15));
    expect(view.isStopping(one.id)).toBe(false);
    view.note(kill(3));
    expect(view.isStopping(one.id)).toBe(true);
  });

  test('is announced by SIGKILL too, whatever the stop signal is: nobody survives it', async () => {
    const { view } = await looked({ ...one, stopSignal: 3 });
    view.note(kill(9));
    expect(view.isStopping(one.id)).toBe(true);
  });

  test('is noted without a look: Docker answers no question about a container that it is killing', async () => {
    const { engine, view } = await looked(one);
    const asked = engine.calls.length;
    view.note(kill(9));
    await view.refresh(signal);
    expect(engine.calls.length).toBe(asked);
    expect(view.isStopping(one.id)).toBe(true);
  });

  test('is announced of this container only', async () => {
    const { view } = await looked(one, two);
    view.note(kill(15));
    expect(view.isStopping(two.id)).toBe(false);
  });

  test('is not announced by the signal of a container that nobody knows, nor by an event without one', async () => {
    const { view } = await looked(one);
    view.note({ ...kill(15), id: two.id });
    view.note({ id: one.id, action: 'kill', signal: null, atMs: null });
    expect([view.isStopping(one.id), view.isStopping(two.id)]).toEqual([false, false]);
  });

  test('stays announced while the container lives on', async () => {
    const { view } = await looked(one);
    view.note(kill(15));
    await view.refresh(signal);
    view.noteAll();
    await view.refresh(signal);
    expect(view.isStopping(one.id)).toBe(true);
  });

  test('is over when another run of the container is found, although the events of its restart were missed', async () => {
    const { engine, view } = await looked(one);
    view.note(kill(15));
    engine.set({ ...one, startedAt: '2026-11-23T11:06:00.987654321Z' });
    view.noteAll();
    await view.refresh(signal);
    expect(view.isStopping(one.id)).toBe(false);
  });

  test('is over when the container is gone, although its end was missed', async () => {
    const { engine, view } = await looked(one);
    view.note(kill(15));
    engine.containers.delete(one.id);
    view.noteAll();
    await view.refresh(signal);
    expect(view.isStopping(one.id)).toBe(false);
  });

  test('does not turn back into "ready" between the death and the look that finds it', async () => {
    const { view } = await looked(one);
    view.note(kill(15));
    view.note({ id: one.id, action: 'die', signal: null, atMs: null });
    // The snapshot from before its death still stands, and would be registered as ready.
    expect(namesOf(view)).toEqual(['one']);
    expect(view.isStopping(one.id)).toBe(true);
  });
});

describe('what may be otherwise', () => {
  const start = { id: two.id, action: 'start', signal: null, atMs: 1 };
  const ids = (view: ContainerView): string[] | null => {
    const touched = view.takeTouched();
    return touched === null ? null : [...touched];
  };

  test('is anything after a listing, then what was looked at, and each is told once', async () => {
    const { engine, view } = await looked(one);
    expect(ids(view)).toBeNull();
    expect(ids(view)).toEqual([]);
    engine.set(two);
    view.note(start);
    await view.refresh(signal);
    expect(ids(view)).toEqual([two.id]);
    expect(view.find(two.id)).toBe(two);
    view.noteAll();
    await view.refresh(signal);
    expect(ids(view)).toBeNull();
  });

  test('is a container whose stop is announced, or was survived, and one whose event has led to something', async () => {
    const { view } = await looked(one, two);
    ids(view);
    view.note({ id: one.id, action: 'kill', signal: 15, atMs: null });
    expect(ids(view)).toEqual([one.id]);
    view.note(start);
    await view.refresh(signal);
    const times = view.eventTimes();
    expect(ids(view)).toEqual([two.id]);
    view.forgetTimes(times);
    expect(ids(view)).toEqual([two.id]);
    const later = performance.now() + 3_600_001;
    vi.spyOn(performance, 'now').mockReturnValue(later);
    await view.refresh(signal);
    vi.restoreAllMocks();
    expect([ids(view), view.isStopping(one.id)]).toEqual([[one.id], false]);
  });
});
