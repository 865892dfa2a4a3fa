import type { Interceptor } from '@grpc/grpc-js';
import { noop } from 'cockatiel';
import { Etcd3, type IOptions } from 'etcd3';
import { createLogin, type EtcdUser } from './login.js';

/** For members at https; in PEM form. */
export interface EtcdTls {
  /** Of the CAs that may have signed the members' certificates; null for those that Node trusts. */
  readonly ca: string | null;
  /** What is shown to a member that asks who we are. */
  readonly identity: { readonly certificate: string; readonly key: string } | null;
}

/** Who we are to etcd, and whom we trust. */
export interface EtcdAccess {
  /** Null where the members are at http. */
  readonly tls: EtcdTls | null;
  /** None unless etcd has users. */
  readonly user?: EtcdUser | null;
}

/** To be handed on to each call; a stream takes the interceptors alone. */
export interface AskOptions {
  readonly deadline: number;
  readonly interceptors: Interceptor[];
}

export type Ask<T> = (etcd: Etcd3, options: AskOptions) => Promise<T>;

export interface Connection {
  /** Logs in before where that is needed, and asks once more where etcd has forgotten us meanwhile. */
  use<T>(ask: Ask<T>, deadline: number): Promise<T>;
  /** Closes it as soon as nobody uses it. */
  retire(): void;
  close(): void;
}

/** The connection to one member as one user. */
export function createConnection(host: string, { tls, user = null }: EtcdAccess): Connection {
  const etcd = connectionTo(host, tls);
  const login = user === null ? null : createLogin(user);
  const interceptors = login === null ? [] : [login.interceptor];
  let users = 0;
  let isRetired = false;

  const askAs = async <T>(ask: Ask<T>, deadline: number): Promise<T> => {
    if (login === null) return ask(etcd, { deadline, interceptors });
    await login.begin(etcd, deadline);
    const token = login.token();
    try {
      return await ask(etcd, { deadline, interceptors });
    } catch (error) {
      if (!login.forgets(token, error)) throw error;
    }
    await login.begin(etcd, deadline);
    return ask(etcd, { deadline, interceptors });
  };

  return {
    async use(ask, deadline) {
      users += 1;
      try {
        return await askAs(ask, deadline);
      } finally {
        users -= 1;
        if (isRetired && users === 0) etcd.close();
      }
    },
    retire() {
      isRetired = true;
      if (users === 0) etcd.close();
    },
    close: () => {
      etcd.close();
    },
  };
}

/** The connection to one member. Calls of it want a deadline. */
export function connectionTo(host: string, tls: EtcdTls | null): Etcd3 {
  return new Etcd3({
    hosts: host,
    ...(tls !== null && { credentials: credentialsOf(tls) }),
    grpcOptions: {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // The default of 4 MiB is too little for what a watch tells of one transaction. What is more than this is not read at
      // all: a listing then asks for less, and a watch that ends so again lists anew.
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
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
