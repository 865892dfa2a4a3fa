/** What systemd asks of a service that it started. */
export interface ServiceManagerSettings {
  /** Where it listens, a path or an abstract name (`@…`). */
  readonly socket: string;
  /** How often it wants to hear that the service lives; null where it does not ask. */
  readonly watchdogMs: number | null;
}

/** From the environment (sd_notify(3), sd_watchdog_enabled(3)); null where nobody asks. */
export function serviceManagerOf(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceManagerSettings | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec = '', WATCHDOG_PID: watched } = environment;
  if (socket === undefined || socket === '') return null;
  // It may be meant for a parent, whose environment was handed on.
  const isOurs = watched === undefined || watched === '' || watched === String(pid);
  const watchdogMs = isOurs && /^[1-9]\d{0,15}$/.test(usec) ? Number(usec) / 1000 : null;
  return { socket, watchdogMs };
}
