// Types alone, and no import: the status page, which runs in a browser, reads them too.

/** HAProxy was started, was reloaded, or took changes of servers without a reload; or `EXEC` ran. */
export interface RecentChange {
  readonly kind: 'start' | 'reload' | 'change' | 'run';
  /** Why, or what. */
  readonly what: string;
  /** ISO 8601. */
  readonly at: string;
}

/** How a listener is checked by the built-in template, and what follows from that. */
export interface ListenerCheck {
  readonly kind: 'tcp' | 'http';
  readonly intervalMs: number;
  /** An endpoint that does not answer at all, and that nobody uses, is out within this time. */
  readonly deadWithinMs: number;
  /** One whose process is frozen; null where nothing finds that. */
  readonly frozenWithinMs: number | null;
  /** All of it in words, and why it is so. */
  readonly text: string;
}

export interface ListenerStatus {
  /** As HAProxy and the log call it: `<service>:<service port>`. */
  readonly name: string;
  readonly service: string;
  /** On this host; null where only the HTTP entrance leads to it. */
  readonly port: number | null;
  /** What of the HTTP entrance leads to it: `shop.example/api`, `*.shop.example`. */
  readonly routes: readonly string[];
  /** Null where the proxy is not ours. */
  readonly check: ListenerCheck | null;
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly id: string;
  readonly address: string;
  readonly weight: number;
  /** Where it stands; null where nobody said. */
  readonly zone: string | null;
  /**
   * As HAProxy says it (`UP`, `DOWN`, `MAINT`, …); `DRAIN` while it drains, `not loaded` before HAProxy has taken it, `unknown`
   * while HAProxy does not answer.
   */
  readonly status: string;
  /** Result of the last check, such as `L4OK`. */
  readonly check: string;
  /** The same in words: `Layer4 connection problem: Connection refused`. */
  readonly checkText: string;
  /** How long it has had this status, seconds; null where HAProxy does not say. */
  readonly sinceSeconds: number | null;
  /** Open connections. */
  readonly sessions: number;
  /** Its registration expired without a withdrawal, and is kept for a while. */
  readonly stale: boolean;
}
