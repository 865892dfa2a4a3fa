import { afterAll, afterEach, beforeAll } from 'vitest';
import { startLab, type Lab } from '../../lab/lab.js';

/** One lab for a test file, without containers and keys at the start of each test. Available from the first test on. */
export function useLab(): () => Lab {
  let lab: Lab | undefined;
  const current = (): Lab => {
    if (lab === undefined) throw new Error('the lab is not up yet');
    return lab;
  };
  beforeAll(async () => {
    lab = await startLab({ log: console.log });
  }, 900_000);
  afterAll(async () => {
    await lab?.stop();
  });
  afterEach(async () => {
    const { client, backends, etcd } = current();
    await Promise.all([client, ...backends].map((host) => host.run('docker ps -aq | xargs -r docker rm -f -v')));
    await etcd.run('etcdctl del --prefix /backends');
  });
  return current;
}
