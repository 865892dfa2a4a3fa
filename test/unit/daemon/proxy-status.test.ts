import { expect, test } from 'vitest';
import { proxyStatusOf } from '../../../src/daemon/proxy-status.js';
import { FakeProxy } from '../support/fake-proxy.js';

const { signal } = new AbortController();

test('a HAProxy that does not run is not asked', async () => {
  const proxy = new FakeProxy();
  proxy.running = false;
  expect(await proxyStatusOf(proxy, signal)).toEqual({ running: false, servers: [], workerPid: null, silence: null });
});

test('what one of its sockets tells is told, also where the other is silent', async () => {
  const proxy = new FakeProxy();
  proxy.running = true;
  expect(await proxyStatusOf(proxy, signal)).toEqual({ running: true, servers: [], workerPid: 4711, silence: null });
  proxy.serverStatus = () => Promise.reject(new Error('no answer'));
  expect(await proxyStatusOf(proxy, signal)).toEqual({
    running: true,
    servers: null,
    workerPid: 4711,
    silence: 'no answer',
  });
});
