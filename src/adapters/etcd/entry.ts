import type { IKeyValue } from 'etcd3';
import type { HeldEntry } from '../../ports/registry.js';

export function entryOf({ key, value, create_revision, mod_revision, lease }: IKeyValue): HeldEntry {
  return {
    key: key.toString(),
    value: value.toString(),
    createRevision: Number(create_revision),
    modRevision: Number(mod_revision),
    lease,
  };
}
