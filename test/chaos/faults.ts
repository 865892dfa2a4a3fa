import { backEndFaults } from './faults/back-end.js';
import type { Begin } from './faults/begin.js';
import { clientFaults } from './faults/client.js';
import { etcdFaults } from './faults/etcd.js';
import type { FaultKind } from './kinds.js';

export const faults: Readonly<Record<FaultKind, Begin>> = { ...etcdFaults, ...backEndFaults, ...clientFaults };
