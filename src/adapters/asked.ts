import type { Asked } from '../core/doctor/finding.js';
import { messageOf } from '../core/errors.js';

/** Never rejects: for whoever wants to know of each question what came of it. */
export async function asked<T>(
  ask: () => Promise<T>,
  explain: (error: unknown) => { reason: string; code: number | string | null } = explained,
): Promise<Asked<T>> {
  const askedAt = performance.now();
  try {
    const value = await ask();
    return { ok: true, value, tookMs: performance.now() - askedAt };
  } catch (error) {
    return { ok: false, ...explain(error) };
  }
}

/** The system's name of the error may be that of its cause. */
function explained(error: unknown): { reason: string; code: string | null } {
  return { reason: messageOf(error), code: codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : null) };
}

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
