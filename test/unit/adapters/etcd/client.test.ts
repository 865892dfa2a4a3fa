import { Server, ServerCredentials, status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { createEtcdClient } from '../../../../src/adapters/etcd/client.js';
import { recordingLog } from '../../support/log.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

/** What etcd says to a question, on the wire; nothing it is, where there is no error. */
async function answering(error: Partial<ServiceError> | null): Promise<string> {
  const same = (bytes: Buffer): Buffer => bytes;
  const methods = {
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  const server = new Server();
  servers.push(server);
  server.addService(
    { range: { ...methods, path: '/etcdserverpb.KV/Range' } },
    {
      range: (_call: unknown, reply: (error: Partial<ServiceError> | null, bytes?: Buffer) => void) => {
        if (error === null) reply(null, Buffer.alloc(0));
        else reply(error);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failure, bound) => {
      if (failure === null) resolve(bound);
      else reject(failure);
    });
  });
  return `http://127.0.0.1:${String(port)}`;
}

test.each([
  ['etcd 3.4', status.UNAVAILABLE],
  ['later ones', status.FAILED_PRECONDITION],
])('a learner, as %s tell of it, is passed over for those beside it, and told of once', async (_which, code) => {
  const learner = await answering({ code, details: 'etcdserver: rpc not supported for learner' });
  const hosts = [learner, await answering(null)];
  const { log, messages } = recordingLog();
  // They begin with any of the two.
  const clients = Array.from({ length: 12 }, () => createEtcdClient({ hosts, tls: null, log }));
  try {
    for (const client of clients) {
      const ask = (): Promise<unknown> =>
        client.call({
          ask: ({ kv }, options) => kv.range({ key: Buffer.from('/') }, options),
          signal: AbortSignal.timeout(5_000),
        });
      await ask();
      await ask();
    }
    expect(messages('warn').length).toBeGreaterThan(0);
    expect(messages('warn').length).toBeLessThanOrEqual(clients.length);
  } finally {
    for (const client of clients) client.close();
  }
});
