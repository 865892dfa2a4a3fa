import type { IRequestOp } from 'etcd3';
import type { Diff } from '../../core/diff.js';

/** etcd's default limit of operations in a transaction (`--max-txn-ops`). */
export const maxOperations = 128;

/** Deletes first: when a container was replaced, its address is free before the next one claims it. */
export function transactionsOf({ puts, deletes }: Diff, lease: string): IRequestOp[][] {
  const operations: IRequestOp[] = [
    ...deletes.map((key) => ({ request_delete_range: { key: Buffer.from(key) } })),
    ...puts.map(({ key, value }) => ({ request_put: { key: Buffer.from(key), value: Buffer.from(value), lease } })),
  ];
  const transactions: IRequestOp[][] = [];
  for (let at = 0; at < operations.length; at += maxOperations)
    transactions.push(operations.slice(at, at + maxOperations));
  return transactions;
}
