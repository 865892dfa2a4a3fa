import { noop } from 'cockatiel';
import { Etcd3, GRPCResourceExhastedError, castGrpcError, isRecoverableError, type IOptions } from 'etcd3';
import { askInTurn } from './ask-in-turn.js';

/** Ten times what a slow answer takes; a short lease (3 s) still lives when a second member is asked after it. */
const patienceMs = 1_000;

export interface Call<T> {
  /** What may happen twice: a member that was given up may still do it. */
  readonly ask: (member: Etcd3, options: { readonly deadline: number }) => Promise<T>;
  /** For all members together, 5 s unless told otherwise. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

/** The members of etcd as one. */
export interface EtcdClient {
  /** In the order in which they were given. */
  readonly members: readonly Member[];
  /** Asks the member that answered last; when it fails, or is silent for a second, the others too. */
  call<T>(call: Call<T>): Promise<T>;
  /** The member that answered last: the one for a stream. */
  current(): Etcd3;
  /** A stream of this member failed: another is asked first from now on. */
  leave(member: Etcd3): void;
  close(): void;
}

export interface Member {
  readonly host: string;
  readonly etcd: Etcd3;
}

/** For members at https; in PEM form. */
export interface EtcdTls {
  /** Of the CAs that may have signed the members' certificates; null for those that Node trusts. */
  readonly ca: string | null;
  /** What is shown to a member that asks who we are. */
  readonly identity: { readonly certificate: string; readonly key: string } | null;
}

export interface EtcdMembers {
  /** URLs, all with a port. */
  readonly hosts: readonly string[];
  /** Null where they are at http. */
  readonly tls: EtcdTls | null;
}

/**
 * etcd3 can be given all members at once, but then each call goes to one by lot: a third of them to a stopped member,
 * and each of those waits for its deadline, which a lease does not survive.
 */
export function createEtcdClient({ hosts, tls }: EtcdMembers): EtcdClient {
  const members: readonly Member[] = hosts.map((host) => ({ host, etcd: connectionTo(host, tls) }));
  // Hosts of a fleet start with different members.
  let order = rotated(members, Math.floor(Math.random() * members.length));
  const isLocal = (error: unknown): boolean =>
    error instanceof Error && isRecoverableError(error) && !(error instanceof GRPCResourceExhastedError);

  return {
    members,
    async call({ ask, timeoutMs = 5_000, signal }) {
      const deadline = Date.now() + timeoutMs;
      const { member, answer } = await askInTurn({
        members: order,
        ask: ({ etcd }) =>
          ask(etcd, { deadline }).catch((error: unknown) => {
            // The errors of a stream come as gRPC has them.
            throw error instanceof Error ? castGrpcError(error) : error;
          }),
        patienceMs,
        isLocal,
        signal,
      });
      order = rotated(members, members.indexOf(member));
      return answer;
    },
    current: () => firstOf(order).etcd,
    leave: (member) => {
      if (firstOf(order).etcd === member) order = rotated(order, 1);
    },
    close: () => {
      for (const { etcd } of members) etcd.close();
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

/** The connection to one member. Calls of it want a deadline. */
export function connectionTo(host: string, tls: EtcdTls | null): Etcd3 {
  return new Etcd3({
    hosts: host,
    ...(tls !== null && { credentials: credentialsOf(tls) }),
    grpcOptions: {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // The first listing of a large prefix is more than gRPC's default of 4 MiB.
      'grpc.max_receive_message_length': -1,
    },
    // Which member is asked is decided here, and pauses between whole attempts are the daemon's, in one place.
    faultHandling: { global: noop, host: () => noop },
  });
}

function credentialsOf({ ca, identity }: EtcdTls): NonNullable<IOptions['credentials']> {
  const credentials = {
    ...(ca !== null && { rootCertificate: Buffer.from(ca) }),
    ...(identity !== null && {
      certChain: Buffer.from(identity.certificate),
      privateKey: Buffer.from(identity.key),
    }),
  };
  // etcd3's type wants a CA, but gRPC, to which it is handed on, takes Node's where there is none.
  return credentials as NonNullable<IOptions['credentials']>;
}
