import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { basePace } from '../../src/core/haproxy/check-pace.js';
import { checkConfiguration } from '../../src/adapters/haproxy/binary.js';
import { readTemplates } from '../../src/cli/template-files.js';
import { modelOf } from '../../src/core/haproxy/model.js';
import { render } from '../../src/core/haproxy/render.js';
import { formatRoutes, routesOf } from '../../src/core/haproxy/routes.js';
import type { Templates } from '../../src/core/haproxy/templates.js';
import { viewOf } from '../../src/core/haproxy/view.js';
import { haproxyPath } from '../lab/haproxy.js';
import { anyBarred, anyEntries, anyHeld, anyRegistration } from '../unit/support/arbitraries.js';
import { claimsWith, entryWith } from '../unit/support/registrations.js';
import { proxySettingsWith } from '../unit/support/settings.js';
import { selfSigned } from './support/certificate.js';

let binary: string;
let dir: string;
let templates: Templates;

beforeAll(async () => {
  binary = await haproxyPath(console.log);
  dir = await mkdtemp(join(tmpdir(), 'accepts-'));
  await mkdir(join(dir, 'certs'));
  const { certificate, key } = await selfSigned('shop.example');
  await writeFile(join(dir, 'certs', 'shop.pem'), certificate + key);
  templates = await readTemplates(undefined);
}, 600_000);
afterAll(() => rm(dir, { recursive: true }));

/** A few registrations that meet, beside some of every kind that the grammar allows. */
const anything = fc
  .tuple(anyEntries, fc.array(anyRegistration, { maxLength: 24 }))
  .map(([entries, registrations]) => [...entries, ...registrations.map((one, at) => entryWith(one, 30 + at))]);

it('whatever stands in etcd, HAProxy accepts the rendered file', async () => {
  const settings = proxySettingsWith({
    statsAuth: { user: 'admin', password: `a'b&c<d>#e` },
    httpBind: { host: '*', port: 80 },
    httpsBind: { host: '::', port: 443 },
    runtimeSocket: join(dir, 'haproxy.sock'),
    serverStateFile: join(dir, 'server-state'),
    routesFile: join(dir, 'routes.map'),
  });
  const file = join(dir, 'haproxy.cfg');
  let servers = 0;
  await fc.assert(
    fc.asyncProperty(anything, anyHeld, anyBarred, async (entries, held, barred) => {
      const model = modelOf({
        claims: claimsWith(entries),
        forbidden: [],
        mostListeners: 5_000,
        held,
        heldRevision: 10,
        hasEntrance: true,
        whyBarred: (port) => {
          const reason = barred.get(port);
          return reason === undefined ? null : { reason, byPolicy: false };
        },
        nowMs: 1_000,
        lingerMs: 5_000,
      });
      servers += model.listeners.reduce((sum, listener) => sum + listener.servers.length, 0);
      const view = viewOf(model, settings, { barred: new Set(), pace: basePace, certificates: join(dir, 'certs') });
      const text = render(templates, view);
      if (!text.ok) throw new Error(text.reason);
      await writeFile(settings.routesFile, formatRoutes(routesOf(model)));
      await writeFile(file, text.value);
      await checkConfiguration(binary, file, AbortSignal.timeout(30_000));
    }),
    { numRuns: 100 },
  );
  expect(servers).toBeGreaterThan(500);
}, 300_000);
