import { Option } from 'commander';
import type { EtcdMembers } from '../adapters/etcd/client.js';
import type { EtcdTls } from '../adapters/etcd/connection.js';
import { SettingError } from '../core/errors.js';
import { etcdUserOf, type EtcdUserSettings } from './etcd-user.js';
import { required } from './main.js';
import { certificatesOf, identityOf, named, type TlsFile } from './tls-files.js';

/** How etcd is reached. */
export interface EtcdSettings extends EtcdUserSettings {
  /** URLs, all of one scheme. */
  readonly etcdHost?: readonly string[];
  /** Paths of PEM files. */
  readonly etcdCa?: string;
  readonly etcdCert?: string;
  readonly etcdKey?: string;
}

export function etcdTlsOptions(): Option[] {
  return [
    new Option(
      '--etcd-ca <file>',
      'certificates of the CAs that may have signed those of etcd at https:// (PEM); the usual public ones if not set',
    ).env('ETCD_CA'),
    new Option('--etcd-cert <file>', 'certificate that is shown to etcd at https:// (PEM); needs --etcd-key').env(
      'ETCD_CERT',
    ),
    new Option('--etcd-key <file>', 'private key of --etcd-cert (PEM), without a password').env('ETCD_KEY'),
  ];
}

/** @throws SettingError where the members are not given, or a file of theirs is not what it should be */
export async function etcdOf(settings: EtcdSettings): Promise<EtcdMembers> {
  const hosts = required(
    settings.etcdHost,
    'ETCD_HOST is not set: give the members of etcd, as -e ETCD_HOST=10.0.0.10 or --etcd-host 10.0.0.10,10.0.0.11:2379',
  );
  const isTls = hosts.some((host) => host.startsWith('https:'));
  if (!isTls) refuseFiles(settings, hosts);
  return { hosts, tls: isTls ? await tlsOf(settings) : null, user: await etcdUserOf(settings) };
}

function refuseFiles({ etcdCa, etcdCert, etcdKey }: EtcdSettings, hosts: readonly string[]): void {
  for (const [setting, path] of Object.entries({ ETCD_CA: etcdCa, ETCD_CERT: etcdCert, ETCD_KEY: etcdKey }))
    if (path !== undefined)
      throw new SettingError(
        `${named({ setting, path })} is for TLS, and ETCD_HOST has none: give ${hosts.map((host) => host.replace('http:', 'https:')).join()}, or leave ${setting} out`,
      );
}

async function tlsOf({ etcdCa, etcdCert, etcdKey }: EtcdSettings): Promise<EtcdTls> {
  const fileOf = (setting: string, path: string | undefined): TlsFile | null =>
    path === undefined ? null : { setting, path };
  const [ca, certificate, key] = [
    fileOf('ETCD_CA', etcdCa),
    fileOf('ETCD_CERT', etcdCert),
    fileOf('ETCD_KEY', etcdKey),
  ];
  if (certificate !== null && key === null)
    throw new SettingError(`${named(certificate)} is of no use without its key: set ETCD_KEY too`);
  if (key !== null && certificate === null)
    throw new SettingError(`${named(key)} is of no use without its certificate: set ETCD_CERT too`);
  return {
    ca: ca === null ? null : await certificatesOf(ca),
    identity: certificate === null || key === null ? null : await identityOf(certificate, key),
  };
}
