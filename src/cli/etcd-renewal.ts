import type { EtcdClient, EtcdMembers } from '../adapters/etcd/client.js';
import { messageOf } from '../core/errors.js';
import { createLastingFault } from '../daemon/lasting.js';
import { every } from '../daemon/lifecycle.js';
import type { Logger } from '../ports/log.js';
import { etcdOf, type EtcdSettings } from './etcd-settings.js';

/** Certificates are renewed days before they end; a password is changed a moment after the one in etcd. */
const lookMs = 10_000;

export interface RenewalOptions {
  readonly settings: EtcdSettings;
  /** As they were read at the start. */
  readonly etcd: EtcdMembers;
  readonly client: EtcdClient;
  readonly log: Logger;
}

/**
 * Takes the files of ETCD_CA, ETCD_CERT, ETCD_KEY and ETCD_PASSWORD_FILE when others stand in them; while one is broken, what
 * was read before holds. All are read each time: a renewed file may have the old one's date and size, and a Docker secret is a
 * link to another file.
 */
export function renewEtcdAccess({ settings, etcd, client, log }: RenewalOptions, signal: AbortSignal): Promise<void> {
  let taken = JSON.stringify(etcd);
  let lastFault: string | null = null;
  const fault = createLastingFault(
    {
      fault: 'a file for etcd can not be used; what was read before holds',
      end: 'the files for etcd can be used again',
    },
    log,
  );
  const look = async (): Promise<void> => {
    try {
      const now = await etcdOf(settings);
      lastFault = null;
      fault.tell(null);
      if (JSON.stringify(now) === taken) return;
      client.adopt(now);
      taken = JSON.stringify(now);
      log.info({}, 'the files for etcd changed; new connections are made with them');
    } catch (error) {
      // Who renews certificate and key one after the other is between the two for a moment.
      const reason = messageOf(error);
      if (reason === lastFault) fault.tell({ reason });
      lastFault = reason;
    }
  };
  return every(lookMs, look, signal);
}
