/** What kind of reason it is, which is counted. */
export type SkipKind =
  | 'pair'
  | 'ignored'
  | 'only_label'
  | 'not_running'
  | 'health'
  | 'no_network'
  | 'no_port'
  | 'not_tcp'
  | 'not_published'
  | 'loopback'
  | 'wrong_family'
  | 'name'
  | 'taken'
  | 'limit';

/** Why something is not registered. */
export interface Skip {
  readonly ok: false;
  readonly kind: SkipKind;
  readonly reason: string;
  /** What would have it registered, or who else is to be asked. */
  readonly mend: string;
  /** Whoever started the container probably meant otherwise. */
  readonly isDoubtful: boolean;
}

export function skip(kind: SkipKind, reason: string, mend: string): Skip {
  return { ok: false, kind, reason, mend, isDoubtful: false };
}

export function doubtfulSkip(kind: SkipKind, reason: string, mend: string): Skip {
  return { ok: false, kind, reason, mend, isDoubtful: true };
}
