import { filesOf } from '../haproxy/capacity.js';
import { counted, failed, fine, notChecked, warning, type Asked, type Finding } from './finding.js';

const tested = '3.0';

export function judgeHaproxy(version: Asked<string>): Finding {
  const check = 'HAProxy';
  const mend = `give HAPROXY the path of haproxy ${tested}, which the image has`;
  if (!version.ok) return failed(check, version.reason, mend);
  const found = `version ${version.value}`;
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(version.value) ?? [];
  const [ownMajor, ownMinor] = [Number(major), Number(minor)];
  if (ownMajor < 3) return warning(check, `${found}: it works, and ${tested} is what is tested`, mend);
  return fine(check, ownMajor === 3 && ownMinor === 0 ? found : `${found}, newer than the ${tested} that is tested`);
}

export interface OpenFilesFacts {
  /** Hard limit; null where it is not known, Infinity where there is none. */
  readonly limit: number | null;
  /** Sockets that listen. */
  readonly listening: number;
  readonly endpoints: number;
  /** Open connections now. */
  readonly sessions: number;
}

/** Sockets and pipes that HAProxy has beside. */
const spareFiles = 100;
/** With fewer connections at a time a small site is at its end. */
const fewConnections = 2_000;

/** HAProxy takes two files for a connection, one for each side, and one for the check of an endpoint. */
export function judgeOpenFiles({ limit, listening, endpoints, sessions }: OpenFilesFacts): Finding {
  const check = 'open files';
  if (limit === null) return notChecked(check, 'the limit can not be read');
  const files = filesOf(limit);
  const room = Math.max(0, Math.floor((files - spareFiles - listening - endpoints) / 2));
  const found = `limit ${limit === Infinity ? 'none' : String(limit)}, enough for ${counted(room, 'connection')} at a time; now ${String(sessions)}`;
  const mend = 'start the container with --ulimit nofile=200000:200000';
  if (room === 0) return failed(check, found, mend);
  return room < fewConnections || room < sessions * 1.5 ? warning(check, found, mend) : fine(check, found);
}

/** @param written a file was, and is gone again */
export function judgeDirectory(setting: string, path: string, written: Asked<null>): Finding {
  if (written.ok) return fine(setting, `${path} can be written`);
  const mend =
    written.code === 'ENOSPC' || written.code === 'EDQUOT'
      ? 'free some space there'
      : `make it writable for this user, mount a volume there (-v ...:${path}), or set ${setting}`;
  return failed(setting, `${path} can't be written: ${written.reason}`, mend);
}

/** @param taken the listeners that the configuration has, and HAProxy, or for EXEC the template, has no fault with */
export function judgeTemplate(taken: Asked<{ readonly listeners: number; readonly isEtcdRead: boolean }>): Finding {
  const check = 'template';
  if (!taken.ok)
    return failed(
      check,
      taken.reason,
      'correct the template, or what docker-discover render --check names; HAProxy goes on as it was',
    );
  const { listeners, isEtcdRead } = taken.value;
  return fine(
    check,
    isEtcdRead
      ? `taken, with ${counted(listeners, 'listener')}`
      : 'taken; without services, as etcd does not tell of any',
  );
}
