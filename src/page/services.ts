import { element, glow, labelled, listIn, setClass, setText, type View } from './dom.js';
import type { ShownEndpoint, ShownListener } from './state.js';
import { numberText, plural } from './words.js';

/** What came within this time glows. */
const newMs = 2_000;

export function servicesIn(parent: HTMLElement): (listeners: readonly ShownListener[]) => void {
  return listIn<ShownListener>(parent, { keyOf: ({ name }) => name, create: listenerView });
}

function listenerView(): View<ShownListener> {
  const name = element('h3');
  const port = element('span', 'port');
  const routes = element('span', 'routes');
  const share = element('span', 'share');
  const meter = element('span', 'meter');
  meter.ariaHidden = 'true';
  const rows = element('ul', 'rows');
  const none = element('p', 'none', 'no endpoint; it lingers for a while (LINGER)');
  const check = element('p', 'checked');
  const header = element('header', '', name, port, routes, share, meter);
  const node = element('article', 'service', header, rows, none, check);
  const showRows = listIn<ShownEndpoint>(rows, { keyOf: ({ id }) => id, create: endpointView });
  const showRoutes = listIn<string>(routes, { keyOf: (route) => route, create: routeView });
  const showMeter = listIn<Segment>(meter, { keyOf: ({ tone }) => tone, create: segmentView });
  let isGlowing = false;

  return {
    node,
    show(listener) {
      const { service, endpoints, goneAtMs, cameAtMs } = listener;
      setText(name, service);
      setText(port, listener.port === null ? '' : `:${String(listener.port)}`);
      port.hidden = listener.port === null;
      node.dataset['name'] = listener.name;
      showRoutes(listener.routes);
      const there = endpoints.filter((endpoint) => endpoint.goneAtMs === null);
      setText(share, shareOf(there));
      showMeter(segmentsOf(there));
      showRows(endpoints);
      none.hidden = endpoints.length > 0;
      setText(check, listener.check?.text ?? '');
      check.hidden = listener.check === null || endpoints.length === 0;
      setClass(node, goneAtMs === null ? 'service' : 'service gone');
      if (isFresh(cameAtMs) && !isGlowing) glow(node);
      isGlowing = isFresh(cameAtMs);
    },
  };
}

function isFresh(cameAtMs: number | null): boolean {
  return cameAtMs !== null && Date.now() - cameAtMs < newMs;
}

function shareOf(endpoints: readonly ShownEndpoint[]): string {
  if (endpoints.length === 0) return '';
  if (endpoints.every(({ state }) => state.tone === 'info')) return plural(endpoints.length, 'endpoint', 'endpoints');
  const up = endpoints.filter(({ state }) => state.kind === 'up').length;
  return `${numberText(up)} of ${numberText(endpoints.length)} up`;
}

interface Segment {
  readonly tone: string;
  readonly count: number;
}

function segmentsOf(endpoints: readonly ShownEndpoint[]): Segment[] {
  return ['good', 'info', 'warn', 'off', 'bad'].flatMap((tone) => {
    const count = endpoints.filter(({ state }) => state.tone === tone).length;
    return count === 0 ? [] : [{ tone, count }];
  });
}

function segmentView(): View<Segment> {
  const node = element('i');
  return {
    node,
    show({ tone, count }) {
      setClass(node, tone);
      node.style.flexGrow = String(count);
    },
  };
}

function routeView(route: string): View<string> {
  return { node: element('span', 'route', route), show: () => undefined };
}

function endpointView(): View<ShownEndpoint> {
  const word = element('span', 'word');
  const stale = element('span', 'badge', 'stale');
  stale.title = 'Its registration expired without a withdrawal; health checks decide over it, for a while (STALE)';
  const address = labelled('address', 'address');
  const id = labelled('id', 'id');
  const zone = labelled('zone', 'zone');
  const weight = labelled('number weight', 'weight');
  const sessions = labelled('number sessions', 'sessions');
  const since = labelled('number since', 'since');
  const age = document.createElement('time');
  since.value.append(age);
  const check = labelled('check', 'last check');
  const state = element('span', 'state', element('i', 'dot'), word, stale);
  const parts = [address, id, zone, weight, sessions, since, check].map(({ node: part }) => part);
  const node = element('li', 'row', state, ...parts);
  let before = '';

  return {
    node,
    show(endpoint) {
      const { state: its, goneAtMs, sinceMs } = endpoint;
      node.dataset['id'] = endpoint.id;
      setText(word, its.word);
      stale.hidden = !endpoint.stale;
      setText(address.value, endpoint.address);
      address.value.title = endpoint.address;
      setText(id.value, endpoint.id);
      id.value.title = endpoint.id;
      setText(zone.value, endpoint.zone ?? '');
      zone.node.hidden = endpoint.zone === null;
      setText(weight.value, String(endpoint.weight));
      setText(sessions.value, numberText(endpoint.sessions));
      age.dataset['at'] = goneAtMs === null && sinceMs !== null ? String(sinceMs) : '';
      since.node.hidden = age.dataset['at'] === '';
      setText(check.value, goneAtMs === null ? endpoint.checkText : 'no longer registered');
      check.value.title = endpoint.checkText;
      setClass(node, `row ${its.tone}${goneAtMs === null ? '' : ' gone'}`);
      const isNews = isFresh(endpoint.cameAtMs) ? before === '' : before !== '' && before !== its.tone;
      // What went is red at once.
      if (isNews && goneAtMs === null) glow(node);
      before = its.tone;
    },
  };
}
