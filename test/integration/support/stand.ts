import { afterAll, afterEach, beforeAll } from 'vitest';
import { haproxyPath } from '../../lab/haproxy.js';
import { startBackEnd, type BackEnd } from './back-end.js';
import { startEcho, type Echo } from './echo.js';
import { startEtcd, type TestEtcd } from './etcd.js';
import { createSite, type Site, type SiteOptions } from './site.js';

/** A real etcd and a real HAProxy for the tests of a file, and what each of them opens, which ends with it. */
export interface Stand {
  readonly etcd: TestEtcd;
  site(options?: Omit<SiteOptions, 'etcd' | 'binary'>): Promise<Site>;
  backEnd(...args: Parameters<typeof startBackEnd>): Promise<BackEnd>;
  echo(...args: Parameters<typeof startEcho>): Promise<Echo>;
}

/** To be called before the hooks of the file, which then come before what is opened here ends. */
export function useStand(): Stand {
  let etcd: TestEtcd | null = null;
  let binary = '';
  const opened: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    binary = await haproxyPath(console.log);
    etcd = await startEtcd();
  }, 600_000);
  afterAll(() => etcd?.dispose());
  afterEach(async () => {
    // The last first: a site before the back ends that it leads to.
    for (const close of opened.splice(0).reverse()) await close();
  });
  const running = (): TestEtcd => {
    if (etcd === null) throw new Error('etcd is there from the first hook on');
    return etcd;
  };
  return {
    get etcd() {
      return running();
    },
    async site(options) {
      const site = await createSite({ ...options, etcd: running(), binary });
      opened.push(() => site.dispose());
      return site;
    },
    async backEnd(...args) {
      const backEnd = await startBackEnd(...args);
      opened.push(() => backEnd.close());
      return backEnd;
    },
    async echo(...args) {
      const echo = await startEcho(...args);
      opened.push(() => echo.close());
      return echo;
    },
  };
}
