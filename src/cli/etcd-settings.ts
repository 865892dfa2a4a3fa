import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { EtcdMembers, EtcdTls } from '../adapters/etcd/client.js';
import { certificatesIn, hasEncryptedKey, keysIn } from '../core/certificates.js';
import { messageOf, SettingError } from '../core/errors.js';
import { required } from './main.js';

/** How etcd is reached. */
export interface EtcdSettings {
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
  return { hosts, tls: isTls ? await tlsOf(settings) : null };
}

function refuseFiles({ etcdCa, etcdCert, etcdKey }: EtcdSettings, hosts: readonly string[]): void {
  for (const [name, path] of Object.entries({ ETCD_CA: etcdCa, ETCD_CERT: etcdCert, ETCD_KEY: etcdKey }))
    if (path !== undefined)
      throw new SettingError(
        `${settingOf(name, path)} is for TLS, and ETCD_HOST has none: give ${hosts.map((host) => host.replace('http:', 'https:')).join()}, or leave ${name} out`,
      );
}

async function tlsOf({ etcdCa, etcdCert, etcdKey }: EtcdSettings): Promise<EtcdTls> {
  if (etcdCert !== undefined && etcdKey === undefined)
    throw new SettingError(`${settingOf('ETCD_CERT', etcdCert)} is of no use without its key: set ETCD_KEY too`);
  if (etcdKey !== undefined && etcdCert === undefined)
    throw new SettingError(`${settingOf('ETCD_KEY', etcdKey)} is of no use without its certificate: set ETCD_CERT too`);
  return {
    ca: etcdCa === undefined ? null : await certificatesOf('ETCD_CA', etcdCa),
    identity: etcdCert === undefined || etcdKey === undefined ? null : await identityOf(etcdCert, etcdKey),
  };
}

async function identityOf(certPath: string, keyPath: string): Promise<NonNullable<EtcdTls['identity']>> {
  const certificate = await certificatesOf('ETCD_CERT', certPath);
  const key = await keyOf('ETCD_KEY', keyPath);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new SettingError(
      `${settingOf('ETCD_KEY', keyPath)} is not the key of the certificate in ${settingOf('ETCD_CERT', certPath)}; in that file, the client's own must stand first`,
    );
  return { certificate, key };
}

async function certificatesOf(name: string, path: string): Promise<string> {
  const found = certificatesIn(await textOf(name, path));
  if (found.length === 0)
    throw new SettingError(
      `${settingOf(name, path)} has no certificate in it: give a file in PEM form, with -----BEGIN CERTIFICATE-----`,
    );
  for (const certificate of found) tried(name, path, () => new X509Certificate(certificate));
  return `${found.join('\n')}\n`;
}

async function keyOf(name: string, path: string): Promise<string> {
  const text = await textOf(name, path);
  const [key] = keysIn(text);
  if (key === undefined)
    throw new SettingError(
      hasEncryptedKey(text)
        ? `${settingOf(name, path)} is encrypted: give it without a password, as openssl pkey -in FILE -out FILE writes it`
        : `${settingOf(name, path)} has no private key in it: give a file in PEM form, with -----BEGIN PRIVATE KEY-----`,
    );
  tried(name, path, () => createPrivateKey(key));
  return `${key}\n`;
}

async function textOf(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SettingError(
      `${settingOf(name, path)} can't be read: ${messageOf(error)}; give the path of a file that may be read, in a container one that is mounted`,
    );
  }
}

function tried(name: string, path: string, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw new SettingError(`${settingOf(name, path)} is broken: ${messageOf(error)}; make the file anew`);
  }
}

function settingOf(name: string, path: string): string {
  return `${name} ${JSON.stringify(path)}`;
}
