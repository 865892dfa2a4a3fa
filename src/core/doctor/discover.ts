import { nothingKnown } from '../catalog-state.js';
import type { DiscoverStatus } from '../discover-status.js';
import { counted, failed, fine, notChecked, warning, type Asked, type Finding } from './finding.js';
import { isAbsent, notRunning } from './register.js';

export interface DiscoverFacts {
  readonly runDir: string;
  readonly readiness: Asked<{ readonly isReady: boolean; readonly text: string }>;
  readonly status: Asked<DiscoverStatus>;
}

export function judgeDiscover({ runDir, readiness, status }: DiscoverFacts): Finding[] {
  const name = 'docker-discover';
  const others = ['catalog', 'configuration', 'not served'];
  const withoutStatus = (finding: Finding): Finding[] => [
    finding,
    ...others.map((check) => notChecked(check, 'the daemon does not tell')),
  ];
  if (isAbsent(status)) return withoutStatus(notRunning(name, runDir));
  if (!status.ok) return withoutStatus(failed(name, status.reason, 'see its log; restart it where it hangs'));
  return [
    judgeDaemon(name, readiness, status.value),
    judgeCatalog(status.value),
    judgeFault(status.value),
    judgeProblems(status.value),
  ];
}

function judgeDaemon(
  check: string,
  readiness: DiscoverFacts['readiness'],
  { haproxy, output, listeners }: DiscoverStatus,
): Finding {
  const mend = 'see its log';
  if (output === null && !haproxy.running) return failed(check, 'HAProxy does not run', mend);
  if (haproxy.silence !== null) return failed(check, `HAProxy does not answer: ${haproxy.silence}`, mend);
  if (!readiness.ok) return failed(check, readiness.reason, mend);
  if (!readiness.value.isReady) return failed(check, readiness.value.text, mend);
  const endpoints = listeners.reduce((count, listener) => count + listener.endpoints.length, 0);
  return fine(check, `ready, with ${counted(listeners.length, 'listener')} and ${counted(endpoints, 'endpoint')}`);
}

function judgeCatalog({ catalog, revision }: DiscoverStatus): Finding {
  if (catalog === 'none')
    return failed('catalog', nothingKnown, 'see what failed of etcd; the daemon goes on by itself');
  return catalog === 'live'
    ? fine('catalog', `live, at revision ${String(revision)}`)
    : warning(
        'catalog',
        'last known good: etcd does not answer the daemon, and the pools stay as they were',
        'see what failed of etcd; the daemon is back by itself',
      );
}

function judgeFault({ fault, output }: DiscoverStatus): Finding {
  const check = 'configuration';
  if (fault === null)
    return fine(check, output === null ? 'HAProxy runs what is wanted' : `${output.path} is as wanted`);
  return failed(check, fault, 'docker-discover ls and the log tell more; it is tried again by itself');
}

function judgeProblems({ problems }: DiscoverStatus): Finding {
  const check = 'not served';
  const [first] = problems;
  if (first === undefined) return fine(check, 'nothing');
  const found = `${String(problems.length)}, such as ${first.key.slice(0, 100)}: ${first.reason}`;
  return warning(check, found, 'docker-discover ls lists all, with their reasons');
}
