import type { EtcdClient } from '../adapters/etcd/client.js';
import type { EtcdTls } from '../adapters/etcd/connection.js';
import { examineClock, examineMember, examineRead, examineWatch, examineWrite } from '../adapters/etcd/examine.js';
import { judgeClock, judgeMembers, judgeRead, judgeWatch, judgeWrite } from '../core/doctor/etcd.js';
import { keyspaceOf } from '../core/keyspace.js';
import type { Check } from './doctor.js';

/** A host that does not answer must not keep the others waiting for its clock. */
const clockTimeoutMs = 3_000;

export interface EtcdChecks {
  readonly client: EtcdClient;
  readonly tls: EtcdTls | null;
  readonly prefix: string;
  /** What the daemon does with etcd, beside reading. */
  readonly use: 'write' | 'watch';
}

export function etcdChecks({ client, tls, prefix, use }: EtcdChecks): Check[] {
  const keyspace = keyspaceOf(prefix);
  const write = async (signal: AbortSignal) => [judgeWrite(await examineWrite(client, keyspace, signal), prefix)];
  const watch = async (signal: AbortSignal) => [judgeWatch(await examineWatch(client, keyspace, signal))];
  return [
    { name: 'etcd', run: async () => judgeMembers(await Promise.all(client.members.map(examineMember))) },
    {
      name: 'etcd read',
      run: async (signal) => [judgeRead(await examineRead(client, keyspace, signal), prefix)],
    },
    use === 'write' ? { name: 'etcd write', run: write } : { name: 'etcd watch', run: watch },
    {
      name: 'clock',
      run: async (signal) => {
        const inTime = AbortSignal.any([signal, AbortSignal.timeout(clockTimeoutMs)]);
        return [judgeClock(await Promise.all(client.members.map((member) => examineClock(member, tls, inTime))))];
      },
    },
  ];
}
