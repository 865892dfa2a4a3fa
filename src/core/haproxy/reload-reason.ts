export const reloadCauses = [
  'not_running',
  'section_added',
  'section_removed',
  'section_changed',
  'server_keywords',
  'runtime_api',
  'template',
  'check_pace',
] as const;

/** The kind of a reason, which is counted. */
export type ReloadCause = (typeof reloadCauses)[number];

/** Why HAProxy is started or reloaded. */
export interface ReloadReason {
  readonly cause: ReloadCause;
  /** For whoever reads the log: `listen whoami:8000 added`. */
  readonly text: string;
}

export const notRunning: ReloadReason = { cause: 'not_running', text: 'HAProxy is not running' };

/** Nothing runs, and what is desired is refused. */
export const withLastGood: ReloadReason = { ...notRunning, text: 'start with the last good state' };
export const withoutListeners: ReloadReason = { ...notRunning, text: 'start without listeners' };

/** The first reason stands for all in counting. */
export function summaryOf(reasons: readonly [ReloadReason, ...ReloadReason[]]): ReloadReason {
  const [{ cause, text }, second] = reasons;
  if (second === undefined) return { cause, text };
  return {
    cause,
    text: reasons.length === 2 ? `${text}, ${second.text}` : `${text} and ${String(reasons.length - 1)} more changes`,
  };
}
