import type { IWatchResponse } from 'etcd3';
import { beforeEach, expect, test } from 'vitest';
import type { Member } from '../../../../src/adapters/etcd/client.js';
import { createProxyQuestions, type ProxyQuestions } from '../../../../src/adapters/etcd/proxy-questions.js';

/** Of etcd, as its members agree on it. */
let revision: number;
let ranges: boolean[];
let written: object[];
let questions: ProxyQuestions;

beforeEach(() => {
  revision = 10;
  ranges = [];
  written = [];
  const range = ({ serializable }: { serializable: boolean }): Promise<object> => {
    ranges.push(serializable);
    return Promise.resolve({ header: { revision: String(revision) } });
  };
  const member = { use: (ask: (etcd: object, options: object) => unknown) => ask({ kv: { range } }, {}) };
  questions = createProxyQuestions({
    member: member as unknown as Member,
    key: Buffer.from('/backends/'),
    id: '0',
    revision,
    write: (request) => void written.push(request),
  });
});

async function ask(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await questions.ask(0);
}

/** The member that the proxy listens to has opened the other watch. */
function opened(at: number): string | null {
  const response = { watch_id: '1', created: true, canceled: false, header: { revision: String(at) } };
  return questions.reasonIn(response as IWatchResponse);
}

test('of five questions the proxy answers four from its memory', async () => {
  await ask(1);
  opened(10);
  await ask(5);
  expect(ranges).toEqual([false, true, true, true, true, false]);
});

test('the other watch is ended as soon as it has told its revision', async () => {
  await ask(1);
  expect(opened(10)).toBeNull();
  expect(written).toEqual([
    { create_request: { key: Buffer.from('/backends/') } },
    { cancel_request: { watch_id: '1' } },
  ]);
});

test('a member that is a moment behind will do, one that has not come on since the last time will not', async () => {
  await ask(1);
  opened(10);
  revision = 20;
  await ask(5);
  expect(opened(19)).toBeNull();
  revision = 30;
  await ask(5);
  expect(opened(19)).toMatch(/at revision 19, the others were at 20/);
});

test('a member that opens no watch is found at the next such question', async () => {
  await ask(5);
  await expect(ask(1)).rejects.toThrow('does not answer');
});

test('a member that refuses it has answered', async () => {
  await ask(1);
  const refused = { watch_id: '-1', created: true, canceled: true, header: { revision: '0' } };
  expect(questions.reasonIn(refused as IWatchResponse)).toBeNull();
  expect(written).toHaveLength(1);
  await expect(ask(5)).resolves.toBeUndefined();
});
