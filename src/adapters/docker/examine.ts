import { Readable } from 'node:stream';
import type { EngineFacts } from '../../core/doctor/docker.js';
import type { Asked } from '../../core/doctor/finding.js';
import { asked, codeOf } from '../asked.js';
import { withDeadline } from '../deadline.js';
import { connectionTo } from './connection.js';
import { watchedActions } from './events.js';
import { isMissing, reasonOf } from './failure.js';
import { formatDockerHost, type DockerHost } from './host.js';
import { defaultRegistrationLimits } from '../../core/registration-limits.js';
import { snapshotOf } from './map-inspect.js';

const callTimeoutMs = 5_000;
/** Where no container runs: to be told that there is none is an answer too. */
const nobody = 'docker-register-doctor';

/** Asks the engine each thing that docker-register asks of it, once. */
export async function examineEngine(host: DockerHost, signal: AbortSignal): Promise<EngineFacts> {
  const docker = connectionTo(host);
  const call = <T>(ask: (abortSignal: AbortSignal) => Promise<T>): Promise<Asked<T>> =>
    asked(
      () => withDeadline(callTimeoutMs, signal, ask),
      (error) => ({ reason: reasonOf(error, host), code: statusOf(error) ?? codeOf(error) }),
    );

  const version = await call(async () => {
    const { Version, ApiVersion } = await docker.version();
    return { engine: Version, api: ApiVersion };
  });
  const facts = { host: formatDockerHost(host), version };
  if (!version.ok && typeof version.code !== 'number') return { ...facts, calls: null };

  const containers = await call((abortSignal) => docker.listContainers({ abortSignal }));
  const [first] = containers.ok ? containers.value : [];
  const [inspect, events] = await Promise.all([
    call(async (abortSignal) => {
      try {
        snapshotOf(await docker.getContainer(first?.Id ?? nobody).inspect({ abortSignal }), defaultRegistrationLimits);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      return null;
    }),
    call(async (abortSignal) => {
      const filters = { type: ['container' as const], event: watchedActions };
      const stream = await docker.getEvents({ filters, abortSignal });
      if (stream instanceof Readable) stream.destroy();
      return null;
    }),
  ]);
  const list = containers.ok ? { ...containers, value: containers.value.length } : containers;
  return { ...facts, calls: { list, inspect, events } };
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}
