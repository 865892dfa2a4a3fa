import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askInTurn, NoMemberError } from '../../../../src/adapters/etcd/ask-in-turn.js';
import { deferred } from '../../support/deferred.js';
import { pass, settle } from '../../support/time.js';

const controller = new AbortController();

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Members that answer when they are told to. */
function start(signal = controller.signal): {
  asked: string[];
  answer: (member: string) => Promise<void>;
  fail: (member: string, error?: Error) => Promise<void>;
  result: Promise<unknown>;
} {
  const asked: string[] = [];
  const answers = { a: deferred<string>(), b: deferred<string>(), c: deferred<string>() };
  const result = askInTurn({
    members: ['a', 'b', 'c'] as const,
    ask: (member) => {
      asked.push(member);
      return answers[member].promise;
    },
    patienceMs: 1_000,
    isLocal: (error) => error instanceof TypeError,
    signal,
  });
  result.catch(() => undefined);
  const of = (member: string): (typeof answers)['a'] => answers[member as 'a'];
  return {
    asked,
    result,
    answer: async (member) => {
      of(member).resolve(`answer of ${member}`);
      await settle();
    },
    fail: async (member, error = new TypeError(`${member} fails`)) => {
      of(member).reject(error);
      await settle();
    },
  };
}

test('asks only the first while it answers', async () => {
  const { asked, answer, result } = start();
  await pass(900);
  await answer('a');
  await pass(10_000);
  expect(await result).toEqual({ member: 'a', answer: 'answer of a' });
  expect(asked).toEqual(['a']);
});

test('asks the next at once when one fails', async () => {
  const { asked, answer, fail, result } = start();
  await fail('a');
  expect(asked).toEqual(['a', 'b']);
  await answer('b');
  expect(await result).toEqual({ member: 'b', answer: 'answer of b' });
});

describe('a member that is silent', () => {
  test('is passed over after a while, one after the other', async () => {
    const { asked, answer, result } = start();
    await pass(1_000);
    expect(asked).toEqual(['a', 'b']);
    await pass(1_000);
    expect(asked).toEqual(['a', 'b', 'c']);
    await answer('c');
    expect(await result).toEqual({ member: 'c', answer: 'answer of c' });
  });

  test('is still listened to', async () => {
    const { answer, result } = start();
    await pass(1_500);
    await answer('a');
    expect(await result).toEqual({ member: 'a', answer: 'answer of a' });
  });

  test('is not followed twice when it fails in the end', async () => {
    const { asked, fail } = start();
    await pass(1_500);
    await fail('a');
    expect(asked).toEqual(['a', 'b', 'c']);
    await pass(10_000);
    expect(asked).toEqual(['a', 'b', 'c']);
  });
});

test('asks nobody else where the error is not that of one member', async () => {
  const { asked, fail, result } = start();
  await fail('a', new Error('no such lease'));
  await expect(result).rejects.toThrow('no such lease');
  await pass(10_000);
  expect(asked).toEqual(['a']);
});

test('fails with what each said when all have failed', async () => {
  const { fail, result } = start();
  for (const member of ['a', 'b', 'c']) await fail(member);
  const error = await result.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NoMemberError);
  expect((error as NoMemberError<string>).failures.map(({ member }) => member)).toEqual(['a', 'b', 'c']);
});

describe('cancelled', () => {
  test('ends at once, and asks nobody else', async () => {
    const own = new AbortController();
    const { asked, result } = start(own.signal);
    own.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    await pass(10_000);
    expect(asked).toEqual(['a']);
  });

  test('before it began, asks nobody', async () => {
    const { asked, result } = start(AbortSignal.abort(new Error('enough')));
    await expect(result).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });
});
