import type { PageUpdate } from '../core/page-update.js';
import { createAsides } from './asides.js';
import { follow } from './connection.js';
import { byId, element, listIn, setClass, setText, type View } from './dom.js';
import { filtered, showAll, wordsOf, type Filter } from './filter.js';
import { servicesIn } from './services.js';
import { nothingKnown, swept, updated, type PageState } from './state.js';
import { countsOf, createTiles, type Counts } from './tiles.js';
import { ageText, numberText } from './words.js';

/** From so many services or endpoints on, there is a field to search in. */
const [manyServices, manyEndpoints] = [6, 20];

const showTiles = createTiles();
const showAsides = createAsides();
const showServices = servicesIn(byId('services'));
const showBanners = listIn<Banner>(byId('banners'), { keyOf: ({ text }) => text, create: bannerView });
const [contact, empty, search] = [byId('contact'), byId('empty'), byId('search')];
const field = byId('filter') as HTMLInputElement;
const chips = { up: byId('tile-up'), down: byId('tile-down'), stale: byId('tile-stale') };
const stats = byId('stats') as HTMLAnchorElement;

let state: PageState = nothingKnown;
let filter: Filter = showAll;
/** When contact was lost; null while there is some. */
let lostAtMs: number | null = null;

interface Banner {
  readonly tone: 'bad' | 'warn';
  readonly text: string;
}

function bannerView({ tone, text }: Banner): View<Banner> {
  return { node: element('p', `banner ${tone}`, text), show: () => undefined };
}

function bannersOf({ head }: PageState): Banner[] {
  const banners: Banner[] = [];
  if (lostAtMs !== null)
    banners.push({ tone: 'bad', text: 'Contact with docker-discover is lost. What stands here is as it was then.' });
  if (head === null) return banners;
  const { catalog, fault, haproxy } = head;
  if (fault !== null) banners.push({ tone: 'bad', text: `What is wanted is not what runs: ${fault}` });
  if (haproxy.silence !== null) banners.push({ tone: 'bad', text: `HAProxy does not answer: ${haproxy.silence}` });
  if (catalog === 'none')
    banners.push({
      tone: 'bad',
      text: 'etcd has not answered yet, and there is no last known good state: no service is known, and none is served.',
    });
  if (catalog === 'last known good')
    banners.push({
      tone: 'warn',
      text: 'etcd does not answer. The last known good state is served, and traffic goes on.',
    });
  return banners;
}

function show(): void {
  const counts = countsOf(state);
  showTiles(state, counts);
  showAsides(state);
  const shown = filtered(state.listeners.values(), filter);
  showServices(shown);
  showBanners(bannersOf(state));
  const services = state.listeners.size;
  setText(
    byId('service-count'),
    services === shown.length ? numberText(services) : `${numberText(shown.length)} of ${numberText(services)}`,
  );
  search.hidden = services < manyServices && counts.all < manyEndpoints && filter.words.length === 0;
  empty.hidden = state.head === null || shown.length > 0;
  setText(empty, services === 0 ? 'No service is registered.' : 'Nothing fits the filter.');
  for (const [only, chip] of Object.entries(chips)) chip.ariaPressed = String(filter.only === only);
  showHead(counts);
  showTimes();
}

function showHead({ down }: Counts): void {
  const { head } = state;
  setClass(contact, `contact ${lostAtMs === null ? 'good' : 'bad'}`);
  document.body.classList.toggle('lost', lostAtMs !== null);
  if (head === null) return;
  setText(byId('host'), head.host);
  setText(byId('about'), `docker-discover ${head.version}`);
  document.title = `${down > 0 ? `${numberText(down)} down · ` : ''}${head.host} · docker-discover`;
  stats.hidden = head.statsPort === null;
  if (head.statsPort !== null) stats.href = `http://${location.hostname}:${String(head.statsPort)}/`;
}

/** Every `time` of the page, as long ago as it is by the daemon's clock. */
function showTimes(): void {
  const now = Date.now();
  for (const time of document.getElementsByTagName('time')) {
    const { at = '', ago } = time.dataset;
    const text = at === '' ? '' : ageText(now + state.aheadMs - Number(at));
    setText(time, text !== '' && ago !== undefined ? `${text} ago` : text);
  }
  if (lostAtMs !== null) setText(contact, `no contact for ${ageText(now - lostAtMs)}`);
  else if (state.head !== null) setText(contact, 'live');
}

function choose(next: Partial<Filter>): void {
  filter = { ...filter, ...next };
  show();
}

field.addEventListener('input', () => {
  choose({ words: wordsOf(field.value) });
});
for (const only of ['up', 'down', 'stale'] as const)
  chips[only].addEventListener('click', () => {
    choose({ only: filter.only === only ? null : only });
  });

follow({
  onUpdate(update: PageUpdate) {
    const isNews = Object.keys(update).length > 2 || lostAtMs !== null;
    lostAtMs = null;
    if (!isNews) return;
    state = updated(state, update, Date.now());
    show();
  },
  onLost() {
    lostAtMs ??= Date.now();
    show();
  },
});

setInterval(() => {
  const next = swept(state, Date.now());
  if (next !== state) {
    state = next;
    show();
  } else showTimes();
}, 1_000);
