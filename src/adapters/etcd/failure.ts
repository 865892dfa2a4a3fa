import { messageOf } from '../../core/errors.js';
import { quoted } from '../../core/result.js';
import { NoMemberError } from './ask-in-turn.js';
import type { Member } from './client.js';
import { tokenRefused } from './login.js';

type Meaning = readonly [pattern: RegExp, meaning: (matched: string, wanted: Wanted | null) => string];

/** The right that a call takes, and who asked. */
export interface Wanted {
  /** Null where ETCD_USER does not say: that of the certificate, or nobody. */
  readonly user: string | null;
  readonly right: 'read' | 'readwrite';
  /** What all keys start with. */
  readonly keyspace: string;
}

/** What Node and OpenSSL say of a TLS connection; they come to us in gRPC's "no connection". */
const tlsMeanings: readonly Meaning[] = [
  [
    /((?:self-signed|self signed) certificate[\w ]*|unable to (?:verify|get)[\w ]* certificate)/,
    (said) =>
      `its certificate is not signed by a CA that is trusted here (${said}); ETCD_CA must be the certificate of that CA`,
  ],
  [
    /Hostname\/IP does not match certificate's altnames: (.*?)(?:\. Resolution note:.*)?$/,
    (said) =>
      `its certificate is for other names than ETCD_HOST has (${said}); give one of those, or it a certificate with this one`,
  ],
  [
    /(uns(?:uitable|upported) certificate purpose)/,
    (said) =>
      `its certificate is not one for a server (${said}); give etcd one whose extendedKeyUsage has serverAuth, not that of a client`,
  ],
  [/(certificate (?:has expired|is not yet valid))/, (said) => `its ${said}; is the clock right here?`],
  [
    /SSL routines:\w*:[\w/]+ alert ([a-z ]*(?:certificate|unknown ca)[a-z ]*):/,
    (said) =>
      `it refuses us (${said}): it wants a certificate of a client, in ETCD_CERT, that is signed by the CA which it trusts, and has not expired`,
  ],
  [
    // Which of these it is depends on who is faster.
    /Last error: .*?(wrong version number|packet length too long|disconnected before secure TLS connection was established|read ECONNRESET|Failed to connect)/,
    (said) =>
      `it breaks off each connection at its start (${said}); does it speak TLS? ETCD_HOST must say https:// where it does, and http:// where not`,
  ],
];
/** What etcd says to whom it does not know, or who lacks a right. */
const deniedMeanings: readonly Meaning[] = [
  [
    /etcdserver: (authentication failed)/,
    (said) =>
      `etcd does not know this user by this password (${said}); ETCD_USER and ETCD_PASSWORD must be those of \`etcdctl user add\``,
  ],
  [
    new RegExp(`(${tokenRefused})`),
    (said) => `${said}, which it has just given; do all members of etcd have the same --auth-token?`,
  ],
  [
    /etcdserver: (user name is empty)/,
    (said) => `etcd has users, and asks which of them this is (${said}); set ETCD_USER and ETCD_PASSWORD_FILE`,
  ],
  [
    /etcdserver: (permission denied)/,
    (said, wanted) =>
      `etcd knows this user, who lacks the right (${said})${missing(wanted)}; \`${grantOf(wanted)}\` gives it, see docs/security.md`,
  ],
  [/(?:UNAUTHENTICATED|PERMISSION_DENIED): (.*)/, (said) => `etcd refuses this user (${said})`],
];

/**
 * What gRPC and etcd say, and what it means to whoever reads the log. The texts of etcd are those of its
 * `api/v3rpc/rpctypes/error.go`.
 */
const meanings: readonly Meaning[] = [
  ...tlsMeanings,
  [
    // Where the socket fails before it is one, gRPC has no word of why.
    /No connection established\. Last error: (null|undefined|)\b(?:\. Resolution note:.*)?$/,
    () => 'no connection; is there a way to its network from here (ip route get), and is etcd running there?',
  ],
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
  [
    /etcdserver: (rpc not supported for learner)/,
    (said) => `it is a learner (${said}); name a member that votes as well, or let it: etcdctl member promote`,
  ],
  [/etcdserver: (too many requests)/, (said) => `${said}: etcd has more to do than it can; it will catch up`],
  ...deniedMeanings,
  [/UNAVAILABLE: (.*)/, (said) => `the connection broke (${said})`],
];

/** Why a call failed, in words for whoever reads the log; gRPC's own are long, and bury the cause. */
export function reasonOf(error: unknown, wanted: Wanted | null = null): string {
  if (error instanceof NoMemberError) return reasonsOf(error as NoMemberError<Member>, wanted);
  const message = messageOf(error);
  for (const [pattern, meaning] of meanings) {
    const found = pattern.exec(message);
    if (found !== null) return meaning(found[1] ?? '', wanted);
  }
  return message;
}

function missing(wanted: Wanted | null): string {
  if (wanted === null) return '';
  const who = wanted.user === null ? 'who has no ETCD_USER' : `${quoted(wanted.user)} (ETCD_USER)`;
  return `: ${who} may not ${wanted.right === 'read' ? 'read' : 'read and write'} below ${wanted.keyspace}`;
}

function grantOf(wanted: Wanted | null): string {
  const grant = 'etcdctl role grant-permission';
  return wanted === null ? grant : `${grant} ROLE ${wanted.right} ${wanted.keyspace} --prefix`;
}

/** Whether etcd refuses it to this client. */
export function isDenied(error: unknown): boolean {
  return deniedMeanings.some(([pattern]) => pattern.test(messageOf(error)));
}

/** Whether it is about certificates, or about TLS where there is none. */
export function isOfTls(error: unknown): boolean {
  return tlsMeanings.some(([pattern]) => pattern.test(messageOf(error)));
}

/** Whether the member has no vote (yet): it answers nothing that the members must agree on, and no stream. */
export function isOfLearner(error: unknown): boolean {
  return /rpc not supported for learner/.test(messageOf(error));
}

/** Whether etcd has used up its space (`--quota-backend-bytes`). */
export function isFull(error: unknown): boolean {
  return /database space exceeded/.test(messageOf(error));
}

/** What all members say alike is said once, and which is meant where they differ. */
function reasonsOf({ failures }: NoMemberError<Member>, wanted: Wanted | null): string {
  const reasons = failures.map(({ error }) => reasonOf(error, wanted));
  if (reasons.length === 1) return reasons.join();
  const alike = new Set(reasons.map((reason) => reason.replace(/ \S+:\d+\)/, ')')));
  if (alike.size === 1) return [...alike].join();
  return failures.map(({ member }, i) => `${member.host}: ${reasons[i] ?? ''}`).join('; ');
}
