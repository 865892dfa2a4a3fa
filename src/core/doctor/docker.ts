import { failed, fine, notChecked, counted, shownMs, warning, type Asked, type Finding } from './finding.js';

export interface EngineFacts {
  /** As DOCKER_HOST has it. */
  readonly host: string;
  readonly version: Asked<{ readonly engine: string; readonly api: string }>;
  /** The calls that docker-register lives by; null where the engine can't be reached at all. */
  readonly calls: {
    /** How many containers run. */
    readonly list: Asked<number>;
    readonly inspect: Asked<null>;
    readonly events: Asked<null>;
  } | null;
}

/** HEALTHCHECKs, and events with an actor, came with it (Docker 1.12). */
const leastMinor = 24;
/** Docker 20.10, the oldest that is tested. */
const testedMinor = 41;

export function judgeEngine({ host, version, calls }: EngineFacts): Finding[] {
  const unreachable = 'the engine can not be reached';
  const judge = (check: string, endpoint: string, asked: Asked<unknown> | undefined, found: string): Finding => {
    if (asked === undefined) return notChecked(check, unreachable);
    return asked.ok ? fine(check, `${found} in ${shownMs(asked.tookMs)}`) : refusal(check, endpoint, asked);
  };
  const running = calls?.list.ok === true ? counted(calls.list.value, 'container') : '';
  return [
    judgeVersion(host, version),
    judge('Docker list', 'GET /containers/json', calls?.list, `${running} listed`),
    judge('Docker inspect', 'GET /containers/{id}/json', calls?.inspect, 'answered'),
    judge('Docker events', 'GET /events', calls?.events, 'stream opened'),
  ];
}

function judgeVersion(host: string, version: EngineFacts['version']): Finding {
  const check = 'Docker';
  if (!version.ok)
    return version.code === 403
      ? notChecked(check, `a proxy at ${host} forbids to ask for the version (GET /version), which is not needed`)
      : refusal(check, 'GET /version', version);
  const { engine, api } = version.value;
  const found = `version ${engine}, API ${api}, at ${host}, answered in ${shownMs(version.tookMs)}`;
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)$/.exec(api) ?? [];
  const age = Number(major) > 1 ? Infinity : Number(minor);
  if (age < leastMinor) return failed(check, found, 'take Docker 20.10 or newer');
  return age < testedMinor
    ? warning(check, found, 'take Docker 20.10 or newer; what is older is not tested')
    : fine(check, found);
}

function refusal(check: string, endpoint: string, { reason, code }: Extract<Asked<unknown>, { ok: false }>): Finding {
  switch (code) {
    case 401:
    case 403:
      return failed(
        check,
        `${endpoint} is forbidden (HTTP ${String(code)})`,
        `allow ${endpoint} in the proxy before the socket of Docker (in docker-socket-proxy: CONTAINERS=1, EVENTS=1)`,
      );
    case 'ENOENT':
      return failed(check, reason, 'start Docker, and mount its socket: -v /var/run/docker.sock:/var/run/docker.sock');
    case 'EACCES':
    case 'EPERM':
      return failed(
        check,
        reason,
        'run as root, or in the group that owns the socket (--group-add "$(stat -c %g /var/run/docker.sock)"); with SELinux: --security-opt label=disable',
      );
    case 'ECONNREFUSED':
      return failed(
        check,
        reason,
        'start Docker; where it was started anew, a mounted socket is that of before: restart this container, or mount the directory',
      );
    default:
      return failed(check, reason, 'see DOCKER_HOST, and the log of Docker');
  }
}
