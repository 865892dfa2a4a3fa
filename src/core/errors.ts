/**
 * Wrong usage or configuration: nothing that waiting would mend. The command line turns it into exit code 2.
 * The message names the setting, the value and the mend.
 */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** The run was cancelled by its AbortSignal; not a failure, and not logged as one. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'ResponseAborted');
}

/** The message of an error in one line, without stack or causes: each layer that catches says in its own words what matters. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const messages = error instanceof AggregateError ? error.errors.map(messageOf) : [];
  return error.message === '' ? messages.join('; ') || error.name : error.message;
}
