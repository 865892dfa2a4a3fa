import { counted, failed, fine, notChecked, shownMs, warning, type Asked, type Finding } from './finding.js';

/** A member of etcd in its own words. */
export interface MemberStatus {
  readonly version: string;
  readonly clusterId: string;
  readonly knowsLeader: boolean;
  /** It has no vote yet, and answers next to nothing. */
  readonly isLearner: boolean;
  /** Alarms of the cluster, such as `memberID:1 alarm:NOSPACE`, and what else it complains of. */
  readonly errors: readonly string[];
  readonly sizeBytes: number;
  /** Of some short questions, one after the other, on a connection that stands. */
  readonly latenciesMs: readonly number[];
}

export interface MemberFacts {
  /** Its URL. */
  readonly host: string;
  readonly status: Asked<MemberStatus>;
}

/** Above it the pair works, and each change takes several times as long as it could. */
const slowMs = 100;

const mends = {
  full: 'etcdctl compact, defrag, alarm disarm; then let etcd compact by itself (--auto-compaction-retention)',
  majority: 'bring back more than half of the members of etcd; until then it answers nothing',
  denied:
    'give ETCD_USER and ETCD_PASSWORD_FILE as etcd has them (etcdctl user add), and that user a role with rights below the prefix (etcdctl role grant-permission)',
  tls: 'correct ETCD_CA, ETCD_CERT and ETCD_KEY, or http:// and https:// in ETCD_HOST, as the reason says',
  learner: 'name members that vote in ETCD_HOST (etcdctl member list), or let this one: etcdctl member promote',
  away: 'start etcd there, open the way to its port, or take it out of ETCD_HOST',
  slow: 'look at the network, and at the disk of etcd, which should be its own and fast',
} as const;

const clusterCheck = 'etcd cluster';

/** One finding for each member, and one for all together where there are several. */
export function judgeMembers(members: readonly MemberFacts[]): Finding[] {
  const answering = members.flatMap(({ status }) => (status.ok ? [status.value] : []));
  const voters = answering.filter(({ isLearner }) => !isLearner);
  const count = members.length - (answering.length - voters.length);
  const findings = members.map((member) => judgeMember(member, voters.length > 0));
  const clusters = new Set(answering.map(({ clusterId }) => clusterId)).size;
  if (clusters > 1) return [...findings, ofSeveralClusters(clusters)];
  return count === 1 || voters.length === 0 ? findings : [...findings, judgeCluster(voters, count)];
}

/** @param votersAnswer of those that are named beside it */
function judgeMember({ host, status }: MemberFacts, votersAnswer: boolean): Finding {
  const check = `etcd ${host}`;
  if (!status.ok) {
    const mend = status.code === 'denied' ? mends.denied : status.code === 'tls' ? mends.tls : mends.away;
    return votersAnswer ? warning(check, status.reason, mend) : failed(check, status.reason, mend);
  }
  const { version, knowsLeader, isLearner, errors, sizeBytes, latenciesMs } = status.value;
  const latencyMs = medianOf(latenciesMs);
  const it = `version ${version}, answers in ${shownMs(latencyMs)} (median of ${String(latenciesMs.length)})`;
  if (isOlder(version, [3, 4])) return failed(check, it, 'take etcd 3.4 or newer');
  if (isLearner) {
    const found = `${it}, and is a learner: it answers polls and nothing else`;
    return votersAnswer ? warning(check, found, mends.learner) : failed(check, found, mends.learner);
  }
  if (!knowsLeader) return failed(check, `${it}, and knows no leader`, mends.majority);
  if (errors.some((error) => error.includes('NOSPACE')))
    return failed(check, `${it}, and is full (${sizeText(sizeBytes)}): nothing new is taken`, mends.full);
  if (errors.some((error) => error.includes('CORRUPT')))
    return failed(
      check,
      `${it}, and a member has other data than the rest (alarm CORRUPT)`,
      'replace the member that etcdctl alarm list names',
    );
  if (errors.length > 0) return warning(check, `${it}, and says: ${errors.join('; ')}`, 'see the log of etcd');
  return latencyMs > slowMs ? warning(check, it, mends.slow) : fine(check, `${it}, ${sizeText(sizeBytes)}`);
}

function ofSeveralClusters(clusters: number): Finding {
  const found = `the members in ETCD_HOST belong to ${String(clusters)} clusters`;
  return failed(clusterCheck, found, 'give ETCD_HOST the members of one cluster');
}

function judgeCluster(answering: readonly MemberStatus[], count: number): Finding {
  const share = `${String(answering.length)} of ${counted(count, 'member')}`;
  if (!answering.some(({ knowsLeader }) => knowsLeader))
    return failed(clusterCheck, `${share} answer, and none knows a leader`, mends.majority);
  return answering.length * 2 <= count
    ? warning(clusterCheck, `only ${share} answer`, 'bring the others back, or take them out of ETCD_HOST')
    : fine(clusterCheck, `${share} answer, and know a leader`);
}

/** @param keys how many stand below the prefix */
export function judgeRead(keys: Asked<number>, prefix: string): Finding {
  const check = 'etcd read';
  if (!keys.ok) return refusal(check, keys);
  return fine(check, `${counted(keys.value, 'key')} below ${prefix}/`);
}

/** @param latenciesMs of transactions that all members had to agree on */
export function judgeWrite(latenciesMs: Asked<readonly number[]>, prefix: string): Finding {
  const check = 'etcd write';
  if (!latenciesMs.ok) return refusal(check, latenciesMs);
  const medianMs = medianOf(latenciesMs.value);
  const found = `allowed below ${prefix}/, agreed in ${shownMs(medianMs)} (median of ${String(latenciesMs.value.length)})`;
  return medianMs > slowMs ? warning(check, found, mends.slow) : fine(check, found);
}

export function judgeWatch(opened: Asked<null>): Finding {
  const check = 'etcd watch';
  return opened.ok ? fine(check, 'it can be opened') : refusal(check, opened);
}

function refusal(check: string, { reason, code }: Extract<Asked<unknown>, { ok: false }>): Finding {
  const mend = code === 'full' ? mends.full : code === 'denied' ? mends.denied : 'see what is said of its members';
  return failed(check, reason, mend);
}

/** The clock of another host, against ours. */
export interface ClockFacts {
  readonly host: string;
  /** How far it is ahead, known but for `doubtMs` in both directions. */
  readonly clock: Asked<{ readonly aheadMs: number; readonly doubtMs: number }>;
}

/** Leases are counted by etcd alone, so a clock that is wrong spoils what is compared by people, and certificates. */
const skewMs = 2_000;

export function judgeClock(clocks: readonly ClockFacts[]): Finding {
  const check = 'clock';
  const known = clocks.flatMap(({ host, clock }) => (clock.ok ? [{ host, ...clock.value }] : []));
  const worst = known.toSorted((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs))[0];
  if (worst === undefined) return notChecked(check, 'no member of etcd tells its time over HTTP');
  const { host, aheadMs, doubtMs } = worst;
  if (Math.abs(aheadMs) - doubtMs <= skewMs)
    return fine(check, `within ${String(Math.ceil((Math.abs(aheadMs) + doubtMs) / 1000))}s of that of ${host}`);
  const apart = `${String(Math.round(Math.abs(aheadMs) / 1000))}s ${aheadMs > 0 ? 'behind' : 'ahead of'} that of ${host}`;
  return warning(check, apart, 'keep the clocks of both hosts with a time service (chrony, systemd-timesyncd)');
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** @param least major and minor */
function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor, ownMinor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (ownMajor === undefined || ownMinor === undefined) return false;
  return Number(ownMajor) < major || (Number(ownMajor) === major && Number(ownMinor) < minor);
}

function sizeText(bytes: number): string {
  return bytes < 1_000_000 ? `${String(Math.ceil(bytes / 1000))} kB` : `${String(Math.round(bytes / 1_000_000))} MB`;
}
