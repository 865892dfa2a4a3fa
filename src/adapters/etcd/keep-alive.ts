import type { Etcd3, ILeaseKeepAliveResponse } from 'etcd3';
import type { AskOptions } from './connection.js';

/**
 * One keep-alive, on a stream of its own. etcd3's own loop is not used: it takes twice the TTL to call a lease lost,
 * while etcd forgets it after once.
 */
export async function keepAliveOnce(member: Etcd3, lease: string, options: AskOptions): Promise<'alive' | 'lost'> {
  const stream = await member.leaseClient.leaseKeepAlive(options);
  try {
    const response = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', reject);
      stream.on('end', () => {
        // As if the connection had gone (gRPC's code 14), so that another member is asked.
        reject(Object.assign(new Error('the stream ended without an answer'), { code: 14 }));
      });
      stream.write({ ID: lease });
    });
    return Number(response.TTL) > 0 ? 'alive' : 'lost';
  } finally {
    stream.end();
  }
}
