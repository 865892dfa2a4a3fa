import { Option } from 'commander';
import { SettingError } from '../core/errors.js';
import { parseBindAddress, type BindAddress } from '../core/haproxy/bind.js';
import { fixedBindsOf, type FixedAddresses } from '../core/haproxy/fixed-binds.js';
import type { Parsed } from '../core/result.js';
import { by, parseDirectory, parseYesNo } from './options.js';

/** The entrance for HTTP that all services share. */
export interface EntranceSettings {
  readonly httpBind?: BindAddress;
  readonly httpsBind?: BindAddress;
  readonly certs?: string;
  readonly httpsRedirect: boolean;
}

export function entranceOptions(): Option[] {
  return [
    new Option(
      '--http-bind <address>',
      'port, or address and port, of the HTTP entrance, which leads to services by host name and path; none if not set',
    )
      .env('HTTP_BIND')
      .argParser(by(parseEntrance)),
    new Option('--https-bind <address>', 'the same for HTTPS (HTTP/2 and 1.1), with the certificates in CERTS')
      .env('HTTPS_BIND')
      .argParser(by(parseEntrance)),
    new Option('--certs <directory>', 'directory of certificates and keys in PEM form; changes are seen by themselves')
      .env('CERTS')
      .argParser(by(parseDirectory)),
    new Option('--https-redirect <yes|no>', 'send requests at HTTP_BIND to HTTPS_BIND')
      .env('HTTPS_REDIRECT')
      .argParser(by(parseYesNo))
      .default(true, 'yes'),
  ];
}

/** `80` is `*:80`. */
function parseEntrance(text: string): Parsed<BindAddress> {
  return parseBindAddress(/^\d+$/.test(text) ? `*:${text}` : text);
}

/** @throws SettingError where one of the settings needs another, or two have one port */
export function entranceOf(
  { httpsRedirect, ...given }: EntranceSettings,
  statsBind: BindAddress,
): FixedAddresses & { readonly redirectToHttps: boolean } {
  const { httpBind = null, httpsBind = null, certs = null } = given;
  if (httpsBind !== null && certs === null)
    throw new SettingError('HTTPS_BIND needs certificates: set CERTS to the directory that has them');
  if (httpsBind === null && certs !== null)
    throw new SettingError('CERTS is for the HTTPS entrance: set HTTPS_BIND too, to 443 say');
  const addresses = { statsBind, httpBind, httpsBind };
  const fixed = fixedBindsOf(addresses);
  for (const [at, { bind, setting }] of fixed.entries()) {
    const other = fixed.slice(0, at).find((one) => one.bind.port === bind.port);
    if (other !== undefined)
      throw new SettingError(
        `${setting} and ${other.setting} have one port, ${String(bind.port)}: give one of them another`,
      );
  }
  return { ...addresses, redirectToHttps: httpsRedirect };
}
