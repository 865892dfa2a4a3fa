/** Why something is not registered. */
export interface Skip {
  readonly ok: false;
  readonly reason: string;
  /** Whoever started the container probably meant otherwise. */
  readonly isDoubtful: boolean;
}

export function skip(reason: string): Skip {
  return { ok: false, reason, isDoubtful: false };
}

export function doubtfulSkip(reason: string): Skip {
  return { ok: false, reason, isDoubtful: true };
}
