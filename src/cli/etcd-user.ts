import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { EtcdUser } from '../adapters/etcd/login.js';
import { messageOf, SettingError } from '../core/errors.js';

/** Who we are to an etcd with users. */
export interface EtcdUserSettings {
  readonly etcdUser?: string;
  readonly etcdPassword?: string;
  /** Path. */
  readonly etcdPasswordFile?: string;
}

export function etcdUserOptions(): Option[] {
  return [
    new Option('--etcd-user <name>', 'user of etcd, where it has users (etcdctl auth enable); needs a password').env(
      'ETCD_USER',
    ),
    new Option(
      '--etcd-password <password>',
      'password of --etcd-user; as a flag all users of this host can see it, so rather as a variable or a file',
    ).env('ETCD_PASSWORD'),
    new Option(
      '--etcd-password-file <file>',
      'file with the password of --etcd-user, such as a Docker secret; read again when it changes',
    ).env('ETCD_PASSWORD_FILE'),
  ];
}

/** @throws SettingError, in which the password is not told */
export async function etcdUserOf(settings: EtcdUserSettings): Promise<EtcdUser | null> {
  const { etcdUser, etcdPassword, etcdPasswordFile } = settings;
  if (etcdPassword !== undefined && etcdPasswordFile !== undefined)
    throw new SettingError('ETCD_PASSWORD and ETCD_PASSWORD_FILE are both set: leave one of them out');
  const given = etcdPassword === undefined ? 'ETCD_PASSWORD_FILE' : 'ETCD_PASSWORD';
  const password = etcdPasswordFile === undefined ? etcdPassword : await passwordIn(etcdPasswordFile);
  if (etcdUser === undefined && password === undefined) return null;
  if (etcdUser === undefined) throw new SettingError(`${given} is of no use without its user: set ETCD_USER too`);
  if (password === undefined)
    throw new SettingError(
      `ETCD_USER ${JSON.stringify(etcdUser)} is of no use without a password: set ETCD_PASSWORD_FILE or ETCD_PASSWORD too`,
    );
  return { name: etcdUser, password };
}

/** Editors and `echo` end a file with a newline, which is none of the password. */
async function passwordIn(path: string): Promise<string> {
  const setting = `ETCD_PASSWORD_FILE ${JSON.stringify(path)}`;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SettingError(
      `${setting} can't be read: ${messageOf(error)}; give the path of a file that may be read, in a container one that is mounted`,
    );
  });
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new SettingError(`${setting} is empty: write the password into it`);
  if (/[\r\n]/.test(password)) throw new SettingError(`${setting} has several lines: write the password alone into it`);
  return password;
}
