import type { ContainerEvent } from '../../ports/container-engine.js';

/**
 * What can change whether and how a container is registered. Left out are the ones that come in crowds (`exec_*`, `top`,
 * `resize`).
 */
export const watchedActions = [
  'start',
  'kill',
  'die',
  'stop',
  'destroy',
  'pause',
  'unpause',
  'health_status',
  'rename',
  'update',
];

/**
 * One event as the engine sends it. Only `Type`, `Action` and `Actor` are read: Docker 29 (API 1.52) no longer sends
 * `status`, `id` and `from`.
 *
 * @returns null for what is not about a container
 */
export function containerEventOf(line: string): ContainerEvent | null {
  const event: unknown = JSON.parse(line);
  if (!isRecord(event) || event['Type'] !== 'container' || typeof event['Action'] !== 'string') return null;
  const actor = event['Actor'];
  if (!isRecord(actor) || typeof actor['ID'] !== 'string') return null;
  const attributes = isRecord(actor['Attributes']) ? actor['Attributes'] : {};
  const signal = attributes['signal'];
  return {
    id: actor['ID'],
    // `health_status: healthy`
    action: event['Action'].replace(/:.*$/, ''),
    atMs: atMsOf(event),
    signal: typeof signal === 'string' && /^\d+$/.test(signal) ? Number(signal) : null,
  };
}

/** `timeNano` has more digits than a number of JavaScript, and loses what is below a microsecond. */
function atMsOf({ time, timeNano }: Record<string, unknown>): number | null {
  if (typeof timeNano === 'number') return Math.round(timeNano / 1_000_000);
  return typeof time === 'number' ? time * 1000 : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
