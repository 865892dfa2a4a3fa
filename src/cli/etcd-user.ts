import { Option } from 'commander';
import type { EtcdUser } from '../adapters/etcd/login.js';
import { SettingError } from '../core/errors.js';
import { lineIn } from './line-file.js';

/** Who we are to an etcd with users. */
export interface EtcdUserSettings {
  readonly etcdUser?: string;
  /** Path. */
  readonly etcdUserFile?: string;
  readonly etcdPassword?: string;
  /** Path. */
  readonly etcdPasswordFile?: string;
}

export function etcdUserOptions(): Option[] {
  return [
    new Option('--etcd-user <name>', 'user of etcd, where it has users (etcdctl auth enable); needs a password').env(
      'ETCD_USER',
    ),
    new Option('--etcd-user-file <file>', 'file with the name of that user instead; read again when it changes').env(
      'ETCD_USER_FILE',
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
  const name = await given('ETCD_USER', 'the name of the user', [settings.etcdUser, settings.etcdUserFile]);
  const password = await given('ETCD_PASSWORD', 'the password', [settings.etcdPassword, settings.etcdPasswordFile]);
  if (name === null && password === null) return null;
  if (name === null) throw new SettingError(`${password?.by ?? ''} is of no use without its user: set ETCD_USER too`);
  if (password === null)
    throw new SettingError(
      `${name.by} ${JSON.stringify(name.text)} is of no use without a password: set ETCD_PASSWORD_FILE or ETCD_PASSWORD too`,
    );
  return { name: name.text, password: password.text };
}

interface Given {
  readonly text: string;
  /** The setting that says it. */
  readonly by: string;
}

async function given(
  setting: string,
  what: string,
  [text, path]: readonly [text: string | undefined, path: string | undefined],
): Promise<Given | null> {
  if (text !== undefined && path !== undefined)
    throw new SettingError(`${setting} and ${setting}_FILE are both set: leave one of them out`);
  if (text !== undefined) return { text, by: setting };
  const by = `${setting}_FILE`;
  return path === undefined ? null : { text: await lineIn({ setting: by, path, what }), by };
}
