import { ConfigurationRefusedError, PortsTakenError } from '../ports/proxy.js';

/** Which ports the running worker has, or is about to have. */
export interface LoadedPorts {
  /** A load with these begins. */
  begin(ports: ReadonlySet<number>): void;
  /** It ended: well, or with an error. */
  end(error?: unknown): void;
  all(): ReadonlySet<number>;
}

export function createLoadedPorts(): LoadedPorts {
  let ports: ReadonlySet<number> = new Set();
  let coming: ReadonlySet<number> = new Set();
  return {
    begin(next) {
      coming = next;
    },

    end(error) {
      if (error === undefined) ports = coming;
      else if (error instanceof PortsTakenError)
        ports = new Set([...ports].filter((port) => !error.ports.includes(port)));
      // Where no answer came, a worker with these ports may run.
      else if (!(error instanceof ConfigurationRefusedError)) ports = new Set([...ports, ...coming]);
      coming = new Set();
    },

    all: () => (coming.size === 0 ? ports : new Set([...ports, ...coming])),
  };
}
