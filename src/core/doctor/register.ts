import { counted, failed, fine, notChecked, warning, type Asked, type Finding } from './finding.js';

export interface RegisterFacts {
  readonly runDir: string;
  readonly status: Asked<{ readonly ready: boolean; readonly lease: string | null; readonly registrations: number }>;
  /** What etcd says of the lease, null where it knows none; not asked where the daemon names none. */
  readonly lease: Asked<{ readonly remainingMs: number; readonly grantedMs: number } | null> | null;
}

/** Whether nothing listens there, which is no fault of a daemon that does not run. */
export function isAbsent(asked: Asked<unknown>): boolean {
  return !asked.ok && (asked.code === 'ENOENT' || asked.code === 'ECONNREFUSED');
}

export function notRunning(name: string, runDir: string): Finding {
  return warning(name, `it does not run here, with RUN_DIR ${runDir}`, 'start it, or give the RUN_DIR that it has');
}

export function judgeRegister({ runDir, status, lease }: RegisterFacts): Finding[] {
  const [check, leaseCheck] = ['docker-register', 'lease'];
  if (!status.ok) {
    const found = isAbsent(status)
      ? notRunning(check, runDir)
      : failed(check, status.reason, 'see its log; restart it where it hangs');
    return [found, notChecked(leaseCheck, 'the daemon does not tell which it holds')];
  }
  const { ready, registrations, lease: id } = status.value;
  const daemon = ready
    ? fine(check, `ready, with ${counted(registrations, 'registration')}`)
    : failed(check, 'it has not registered all that runs yet', 'see what failed of Docker and etcd, and its log');
  return [daemon, judgeLease(leaseCheck, id, lease)];
}

function judgeLease(check: string, id: string | null, lease: RegisterFacts['lease']): Finding {
  if (id === null || lease === null)
    return failed(check, 'the daemon holds none', 'see what failed of etcd, and the log of docker-register');
  if (!lease.ok) return notChecked(check, `etcd does not tell of it: ${lease.reason}`);
  if (lease.value === null)
    return failed(
      check,
      `etcd does not know it (${id}): the registrations of this host are gone`,
      'the daemon takes a new one by itself within seconds; look again, and at its log',
    );
  const { remainingMs, grantedMs } = lease.value;
  const found = `${String(remainingMs / 1000)}s of ${String(grantedMs / 1000)}s left`;
  // Every third of it there is a keep-alive, so two thirds are left where none was late; etcd rounds down to seconds.
  return remainingMs + 1000 < grantedMs / 3
    ? warning(
        check,
        `${found}: keep-alives are late`,
        'see the latency of etcd, and the load of this host; or set a longer TTL',
      )
    : fine(check, found);
}
