import { messageOf } from '../../core/errors.js';
import { NoMemberError } from './ask-in-turn.js';
import type { Member } from './client.js';

/**
 * What gRPC and etcd say, and what it means to whoever reads the log. The texts of etcd are those of its
 * `api/v3rpc/rpctypes/error.go`.
 */
const meanings: readonly (readonly [pattern: RegExp, meaning: (matched: string) => string])[] = [
  [
    /No connection established\. Last error: (?:Error: )?(.+?)(?:\. Resolution note:.*)?$/,
    (cause) => `no connection (${cause}); is etcd running there, and reachable from here?`,
  ],
  [/Name resolution failed for target dns:(\S+)/, (name) => `no address is known for ${name}; is the name right?`],
  [/DEADLINE_EXCEEDED/, () => 'no answer in time'],
  [
    /(database space exceeded)/,
    (said) =>
      `etcd is full (${said}): what stands is kept, nothing new is taken; mend it with etcdctl: compact, defrag, alarm disarm`,
  ],
  [
    /etcdserver: (no leader|leader changed)/,
    (said) => `${said}: until more than half of the members of etcd reach each other, they answer nothing`,
  ],
  [
    /etcdserver: (request timed out.*)/,
    (said) => `${said}: the members of etcd do not agree in time; is a disk or the network between them slow?`,
  ],
  [/etcdserver: (too many requests)/, (said) => `${said}: etcd has more to do than it can; it will catch up`],
  [
    /UNAUTHENTICATED|PERMISSION_DENIED|etcdserver: (?:user name is empty|invalid auth token|permission denied)/,
    () => 'etcd asks for a user and password, which is not supported; `etcdctl auth disable` ends that',
  ],
  [/UNAVAILABLE: (.*)/, (said) => `the connection broke (${said})`],
];

/** Why a call failed, in words for whoever reads the log; gRPC's own are long, and bury the cause. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoMemberError) return reasonsOf(error as NoMemberError<Member>);
  const message = messageOf(error);
  for (const [pattern, meaning] of meanings) {
    const found = pattern.exec(message);
    if (found !== null) return meaning(found[1] ?? '');
  }
  return message;
}

/** Whether etcd has used up its space (`--quota-backend-bytes`). */
export function isFull(error: unknown): boolean {
  return /database space exceeded/.test(messageOf(error));
}

/** What all members say alike is said once, and which is meant where they differ. */
function reasonsOf({ failures }: NoMemberError<Member>): string {
  const reasons = failures.map(({ error }) => reasonOf(error));
  if (reasons.length === 1) return reasons.join();
  const alike = new Set(reasons.map((reason) => reason.replace(/ \S+:\d+\)/, ')')));
  if (alike.size === 1) return [...alike].join();
  return failures.map(({ member }, i) => `${member.host}: ${reasons[i] ?? ''}`).join('; ');
}
