import { messageOf } from '../../core/errors.js';

/** Why a call failed, in words for whoever reads the log; gRPC's own are long, and bury the cause. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const [, cause] =
    /UNAVAILABLE: No connection established\. Last error: (?:Error: )?(.+?)(?:\. Resolution note:.*)?$/.exec(message) ??
    [];
  if (cause !== undefined) return `no connection (${cause}); is etcd running there, and reachable from here?`;
  if (/DEADLINE_EXCEEDED/.test(message)) return 'no answer in time';
  return message;
}
