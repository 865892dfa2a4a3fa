import { commandLines } from '../../src/core/haproxy/commands.js';
import { createConfigurationReader, parseConfiguration } from '../../src/core/haproxy/configuration-reader.js';
import type { ServerStatus } from '../../src/core/haproxy/replies.js';
import { emptyModel, type Model } from '../../src/core/haproxy/model.js';
import { planOf, type ObservedServer, type Step } from '../../src/core/haproxy/plan.js';
import { createRenderer, render } from '../../src/core/haproxy/render.js';
import { formatRoutes, planRoutes, routeCommandOf, routesOf } from '../../src/core/haproxy/routes.js';
import { createListenerViews, undisturbed, viewOf, type ProxySettings } from '../../src/core/haproxy/view.js';
import { readTemplates } from '../../src/cli/template-files.js';
import { accepted } from '../unit/support/parsed.js';
import { proxySettingsWith } from '../unit/support/settings.js';
import { checkConfiguration } from './configuration.js';
import type { Kit } from './kit.js';

const templates = await readTemplates(undefined);
const routesFile = '/run/routes.map';
const hosts: readonly ProxySettings[] = [
  proxySettingsWith({ routesFile }),
  proxySettingsWith({ routesFile, accessLog: true, httpBind: { host: '*', port: 80 } }),
  proxySettingsWith({
    routesFile,
    bind: ['127.0.0.1', '::'],
    httpBind: { host: '::', port: 80 },
    statsAuth: { user: 'a', password: 'b' },
  }),
];
const rendered = (model: Model, settings: ProxySettings): string =>
  accepted(render(templates, viewOf(model, settings, undisturbed)));
const heads = hosts.map((settings) => rendered(emptyModel, settings));
/** Each knows its head, and what it rendered and read last. */
const readers = hosts.map(() => createConfigurationReader());
const renderers = hosts.map(() => createRenderer());
const views = hosts.map(() => createListenerViews());

/** What one worker has of a server: nothing, another address, another weight, or itself, but out of the pool. */
const differences: readonly (Partial<ObservedServer> | null)[] = [
  null,
  { address: '10.9.9.9:9' },
  { weight: 77 },
  { maint: true },
  { drain: true, overdue: true },
];

/** The model on its way to haproxy.cfg, to the map of routes and to the runtime API. */
export function checkHaproxy(model: Model, kit: Kit): { steps: readonly Step[]; servers: readonly ServerStatus[] } {
  const at = kit.cases % hosts.length;
  const [settings, head] = [hosts[at] ?? proxySettingsWith(), heads[at] ?? ''];
  // Where listeners are opened is a setting.
  kit.sinks.view(viewOf(model, settings, undisturbed).listeners.map((listener) => ({ ...listener, binds: [] })));
  const text = rendered(model, settings);
  kit.tally.sink('haproxy.cfg', text.slice(head.length));
  checkConfiguration(text, head, model);

  const routes = routesOf(model);
  const map = formatRoutes(routes);
  kit.sinks.routes(map, routes.size);
  kit.last = { text, routes: map };
  // The worker has none of them, or all of them and is to have none, or they lead elsewhere.
  const elsewhere = new Map([...routes.keys()].map((route) => [route, 'elsewhere:1']));
  const plans = [
    planRoutes(new Map(), routes, () => true),
    planRoutes(routes, new Map(), () => true),
    planRoutes(elsewhere, routes, () => true),
  ];
  kit.sinks.commands(plans.flat().map((step) => routeCommandOf(step, settings.routesFile)));

  const again = renderers[at]?.(templates, viewOf(model, settings, undisturbed, views[at]));
  const { text: same, pieces } = again === undefined ? { text, pieces: [text] } : accepted(again);
  if (same !== text) throw new Error(`rendered from what is known it is otherwise: ${same}`);
  const desired = readers[at]?.(pieces) ?? parseConfiguration(text);
  let n = kit.cases;
  const servers = new Map(
    [...desired.servers].map(([listener, lines]) => [
      listener,
      new Map(
        [...lines].flatMap(([name, { address, weight, keywords }]): [string, ObservedServer][] => {
          const difference = differences[n++ % differences.length];
          const there = { address, weight, keywords, maint: false, drain: false, overdue: false };
          return difference == null ? [] : [[name, { ...there, ...difference }]];
        }),
      ),
    ]),
  );
  const plan = planOf({ loaded: desired, servers }, desired);
  // Those that are there are to go, too.
  const none = { ...desired, servers: new Map([...desired.servers.keys()].map((name) => [name, new Map()])) };
  const removal = planOf({ loaded: desired, servers }, none);
  const steps = [plan, removal].flatMap((one) => (one.kind === 'nothing' ? [] : one.steps));
  if (plan.kind === 'reload') throw new Error(`runtime API: a reload, because ${plan.reason.text}`);
  kit.sinks.commands(commandLines(steps));
  return { steps, servers: statusesOf(model) };
}

function statusesOf({ listeners }: Model): ServerStatus[] {
  return listeners.flatMap(({ name, servers }) =>
    servers.map((server) => ({
      listener: name,
      server: server.name,
      status: 'UP',
      check: 'L4OK',
      checkText: 'Layer4 check passed',
      sinceSeconds: 1,
      sessions: 1,
    })),
  );
}
