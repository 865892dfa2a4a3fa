import { expect, test } from 'vitest';
import { owedWithdrawals } from '../../../src/core/withdrawals.js';
import { prefix } from '../support/registrations.js';

const key = '/backends/whoami/aaaaaaaaaaaa';
const other = '/backends/whoami/bbbbbbbbbbbb';
const value = '10.170.71.226:49153?port=8000';
const drain = `${value}&state=drain`;
const none = new Map<string, string>();

test.each<[string, Partial<Parameters<typeof owedWithdrawals>[0]>, string[]]>([
  ['went with the lease, and its container died', {}, [drain]],
  ['was draining when it went', { before: new Map([[key, drain]]) }, [drain]],
  ['still stands: it is deleted like every key that is no longer wanted', { standing: new Map([[key, value]]) }, []],
  ['belongs to a container that runs: it is put again', { desired: new Map([[key, value]]) }, []],
  ['was never held by this process', { before: none }, []],
  ['has its address under another key by now', { standing: new Map([[other, value]]) }, []],
  ['leaves its address to a container that is put after it', { desired: new Map([[other, value]]) }, []],
  ['is no registration', { before: new Map([['/backends/nonsense', value]]) }, []],
])('a withdrawal is owed, or not, of a key that %s: %#', (_what, changes, expected) => {
  const all = { prefix, before: new Map([[key, value]]), standing: none, desired: none, ...changes };
  expect(owedWithdrawals(all)).toEqual(expected.map((owed) => ({ key, value: owed })));
});
