import { ConsecutiveBreaker, circuitBreaker, handleWhen, noop, retry } from 'cockatiel';
import { Etcd3, isRecoverableError } from 'etcd3';

const callTimeoutMs = 5_000;

/** @param hosts URLs, all `http://` or all `https://` */
export function createEtcdClient(hosts: readonly string[]): Etcd3 {
  const several = hosts.length > 1;
  return new Etcd3({
    hosts: [...hosts],
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + callTimeoutMs }),
    grpcOptions: {
      // A watch on a member that is stopped, or cut off without a FIN, ends after eight seconds; without these, never.
      // Not more often: etcd closes connections that ping within five seconds (--grpc-keepalive-min-time), or while no
      // call is open.
      'grpc.keepalive_time_ms': 6_000,
      'grpc.keepalive_timeout_ms': 2_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // The first listing of a large prefix is more than gRPC's default of 4 MiB.
      'grpc.max_receive_message_length': -1,
    },
    faultHandling: {
      // One try per member, and a member that failed thrice is passed over for a while. Pauses between whole attempts
      // are the daemon's, in one place; a breaker in front of a single member would only delay its return.
      global: several ? retry(handleWhen(isRecoverableError), { maxAttempts: hosts.length - 1 }) : noop,
      host: () =>
        several
          ? circuitBreaker(handleWhen(isRecoverableError), { halfOpenAfter: 5_000, breaker: new ConsecutiveBreaker(3) })
          : noop,
    },
  });
}
