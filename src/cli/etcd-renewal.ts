import type { EtcdClient, EtcdMembers } from '../adapters/etcd/client.js';
import type { Logger } from '../ports/log.js';
import { etcdOf, type EtcdSettings } from './etcd-settings.js';
import { renew } from './renewal.js';

export interface RenewalOptions {
  readonly settings: EtcdSettings;
  /** As they were read at the start. */
  readonly etcd: EtcdMembers;
  readonly client: EtcdClient;
  readonly log: Logger;
}

const words = {
  fault: 'a file for etcd can not be used; what was read before holds',
  end: 'the files for etcd can be used again',
  adopted: 'the files for etcd changed; new connections are made with them',
};

/** Takes the files of ETCD_CA, ETCD_CERT, ETCD_KEY, ETCD_USER_FILE and ETCD_PASSWORD_FILE when others stand in them. */
export function renewEtcdAccess({ settings, etcd, client, log }: RenewalOptions, signal: AbortSignal): Promise<void> {
  const adopt = (now: EtcdMembers): void => {
    client.adopt(now);
  };
  return renew({ read: () => etcdOf(settings), textOf: JSON.stringify, initial: etcd, adopt, words, log }, signal);
}
