import type { Etcd3, ILeaseKeepAliveResponse } from 'etcd3';

const timeoutMs = 3_000;

/**
 * One keep-alive, on a stream of its own. etcd3's own loop is not used: it takes twice the TTL to call a lease lost,
 * while etcd forgets it after once.
 */
export async function keepAliveOnce(client: Etcd3, lease: string): Promise<'alive' | 'lost'> {
  const stream = await client.leaseClient.leaseKeepAlive({ deadline: Date.now() + timeoutMs });
  try {
    const response = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
      stream.on('data', resolve);
      stream.on('error', reject);
      stream.on('end', () => {
        reject(new Error('the stream ended without an answer'));
      });
      stream.write({ ID: lease });
    });
    return Number(response.TTL) > 0 ? 'alive' : 'lost';
  } finally {
    stream.end();
  }
}
