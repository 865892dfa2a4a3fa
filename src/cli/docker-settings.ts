import { join } from 'node:path';
import { Option } from 'commander';
import {
  dockerHostAt,
  formatDockerHost,
  parseDockerHost,
  type DockerHost,
  type DockerTls,
  type DockerUrl,
} from '../adapters/docker/host.js';
import { SettingError } from '../core/errors.js';
import { accept, type Parsed } from '../core/result.js';
import { by, parseYesNo } from './options.js';
import { certificatesOf, identityOf, named, type TlsFile } from './tls-files.js';

/** How Docker is reached: the variables of its own client, and their meaning. */
export interface DockerSettings {
  readonly dockerHost: DockerUrl;
  readonly dockerTlsVerify: boolean;
  /** Directory of ca.pem, cert.pem and key.pem. */
  readonly dockerCertPath?: string;
}

export function dockerOptions(): Option[] {
  return [
    new Option('--docker-host <url>', 'the Docker engine: unix:///path or tcp://host:port')
      .env('DOCKER_HOST')
      .argParser(parseDockerHostSafely)
      .default({ kind: 'unix', socketPath: '/var/run/docker.sock' } satisfies DockerUrl, 'unix:///var/run/docker.sock'),
    new Option('--docker-tls-verify [yes|no]', 'speak TLS to the engine at tcp://; needs --docker-cert-path')
      .env('DOCKER_TLS_VERIFY')
      .argParser(by(parseTlsVerify))
      .preset('yes')
      .default(false, 'no'),
    new Option(
      '--docker-cert-path <path>',
      'directory of ca.pem, the CA that signed the engine’s certificate, and of cert.pem and key.pem, which are shown to the engine',
    ).env('DOCKER_CERT_PATH'),
  ];
}

/** @throws SettingError where the settings do not go together, or a file is not what it should be */
export async function dockerOf({ dockerHost, dockerTlsVerify, dockerCertPath }: DockerSettings): Promise<DockerHost> {
  if (!dockerTlsVerify) {
    if (dockerCertPath !== undefined)
      throw new SettingError(
        `${named({ setting: 'DOCKER_CERT_PATH', path: dockerCertPath })} is for TLS: set DOCKER_TLS_VERIFY=1 too, or leave it out`,
      );
    return dockerHostAt(dockerHost, null);
  }
  if (dockerHost.kind === 'unix')
    throw new SettingError(
      `DOCKER_TLS_VERIFY is for tcp://, and DOCKER_HOST is ${formatDockerHost(dockerHost)}: give DOCKER_HOST=tcp://host:2376, or leave DOCKER_TLS_VERIFY and DOCKER_CERT_PATH out`,
    );
  if (dockerCertPath === undefined)
    throw new SettingError(
      'DOCKER_TLS_VERIFY needs certificates: set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem',
    );
  return dockerHostAt(dockerHost, await tlsIn(dockerCertPath));
}

/** A URL with a password must not come back in the message that refuses it. */
function parseDockerHostSafely(text: string): DockerUrl {
  if (text.includes('@') && !text.startsWith('unix:'))
    throw new SettingError(
      'DOCKER_HOST has a user or password in it, which means nothing there: give tcp://host:port, and certificates in DOCKER_CERT_PATH',
    );
  return by(parseDockerHost)(text);
}

async function tlsIn(directory: string): Promise<DockerTls> {
  const fileOf = (name: string): TlsFile => ({ setting: 'DOCKER_CERT_PATH', path: join(directory, name) });
  const ca = await certificatesOf(fileOf('ca.pem'));
  return { ca, ...(await identityOf(fileOf('cert.pem'), fileOf('key.pem'))) };
}

/** Docker's own client takes an empty one for no. */
function parseTlsVerify(text: string): Parsed<boolean> {
  return text === '' ? accept(false) : parseYesNo(text);
}
