import { GRPCResourceExhastedError, castGrpcError, isRecoverableError } from 'etcd3';
import { askInTurn } from './ask-in-turn.js';
import type { Logger } from '../../ports/log.js';
import { isOfLearner } from './failure.js';
import { createConnection, type Ask, type Connection, type EtcdAccess } from './connection.js';

/** Behind a proxy are several members, by turns: one of them that is frozen must not be all that is asked. */
const usualAsksOfProxy = 3;
/** That nothing comes says nothing of the proxy itself. */
const proxyPatienceMs = 3_000;

/** Ten times what a slow answer takes; a short lease (3 s) still lives when a second member is asked after it. */
const usualPatienceMs = 1_000;

export interface Call<T> {
  /** What may happen twice: a member that was given up may still do it. */
  readonly ask: Ask<T>;
  /** For all members together, 5 s unless told otherwise. */
  readonly timeoutMs?: number;
  /** So long one may be silent before the next is asked too; a second unless told otherwise. */
  readonly patienceMs?: number;
  /** So often a proxy is asked that is silent: three times unless told otherwise. */
  readonly asksOfProxy?: number;
  readonly signal: AbortSignal;
}

/** The members of etcd as one. */
export interface EtcdClient {
  /** In the order in which they were given. */
  readonly members: readonly Member[];
  /** Asks the member that answered last; when it fails, or is silent for a second, the others too; a proxy again. */
  call<T>(call: Call<T>): Promise<T>;
  /** The member that answered last: the one for a stream. */
  current(): Member;
  /** A stream of this member failed: another is asked first from now on. */
  leave(member: Member): void;
  /** One of them is a gRPC proxy: what the members need not agree on it answers from its memory, be it minutes old. */
  hasProxy(): boolean;
  /** What begins from now on begins with these; streams go on by those with which they began. */
  adopt(access: EtcdAccess): void;
  /** Who asks; null where only a certificate says so, or nothing. */
  user(): string | null;
  close(): void;
}

export interface Member {
  readonly host: string;
  readonly use: Connection['use'];
  /** Whether it is none itself, but a gRPC proxy before them (`etcd grpc-proxy`), as far as a watch has shown. */
  readonly isProxy: () => boolean;
  readonly showAs: (kind: 'member' | 'proxy') => void;
}

export interface EtcdMembers extends EtcdAccess {
  /** URLs, all with a port. */
  readonly hosts: readonly string[];
  /** Of what one of them turned out to be. */
  readonly log?: Logger;
}

/**
 * etcd3 can be given all members at once, but then each call goes to one by lot: a third of them to a stopped member,
 * and each of those waits for its deadline, which a lease does not survive.
 */
export function createEtcdClient({ hosts, log, ...access }: EtcdMembers): EtcdClient {
  const connectAll = (now: EtcdAccess): Map<string, Connection> =>
    new Map(hosts.map((host) => [host, createConnection(host, now)]));
  let connections = connectAll(access);
  let user = access.user?.name ?? null;
  const proxies = new Set<string>();
  const learners = new Set<string>();
  const tellOfLearner = (host: string, error: unknown): void => {
    if (!isOfLearner(error) || learners.has(host)) return;
    learners.add(host);
    log?.warn(
      { host },
      'this member of etcd is a learner: it answers polls and nothing else; those beside it in ETCD_HOST are asked',
    );
  };
  const members: readonly Member[] = hosts.map((host) => ({
    host,
    use: (ask, deadline) => {
      const connection = connections.get(host);
      if (connection === undefined) throw new RangeError(`no connection to ${host}`);
      return connection.use(ask, deadline).catch((error: unknown) => {
        tellOfLearner(host, error);
        throw error;
      });
    },
    isProxy: () => proxies.has(host),
    showAs(kind) {
      if (kind === 'member') proxies.delete(host);
      else if (!proxies.has(host)) {
        proxies.add(host);
        log?.warn(
          { host },
          'this is a gRPC proxy of etcd, or an etcd before 3.4: it does not tell whether a watch lives. It is asked itself, the poll looks for what the watch did not tell, and etcd answers each poll anew; name two, so that one may fail',
        );
      }
    },
  }));
  // Hosts of a fleet start with different members.
  let order = rotated(members, Math.floor(Math.random() * members.length));
  const isLocal = (error: unknown): boolean =>
    isOfLearner(error) ||
    (error instanceof Error && isRecoverableError(error) && !(error instanceof GRPCResourceExhastedError));

  return {
    members,
    async call({ ask, timeoutMs = 5_000, patienceMs = usualPatienceMs, asksOfProxy = usualAsksOfProxy, signal }) {
      const deadline = Date.now() + timeoutMs;
      const proxied = order.filter((member) => member.isProxy());
      const { member, answer } = await askInTurn({
        members: [
          ...order,
          ...Array<typeof proxied>(asksOfProxy - 1)
            .fill(proxied)
            .flat(),
        ],
        ask: (member) =>
          member.use(ask, deadline).catch((error: unknown) => {
            // The errors of a stream come as gRPC has them.
            throw error instanceof Error ? castGrpcError(error) : error;
          }),
        patienceMs: proxied.length > 0 ? Math.min(patienceMs, proxyPatienceMs) : patienceMs,
        isLocal,
        signal,
      });
      order = rotated(members, members.indexOf(member));
      return answer;
    },
    current: () => firstOf(order),
    leave: (member) => {
      if (firstOf(order) === member) order = rotated(order, 1);
    },
    hasProxy: () => proxies.size > 0,
    user: () => user,
    adopt: (now) => {
      user = now.user?.name ?? null;
      const before = connections;
      connections = connectAll(now);
      for (const connection of before.values()) connection.retire();
    },
    close: () => {
      for (const connection of connections.values()) connection.close();
    },
  };
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  return [...all.slice(by), ...all.slice(0, by)];
}

function firstOf(members: readonly Member[]): Member {
  const [first] = members;
  if (first === undefined) throw new RangeError('no member of etcd');
  return first;
}
