import { beforeEach, expect, it } from 'vitest';
import { waitFor } from '../lab/wait-for.js';
import type { BackEnd } from './support/back-end.js';
import { builtInWith, writeTemplates } from './support/templates.js';
import type { Site } from './support/site.js';
import { useStand } from './support/stand.js';

const stand = useStand();
let backEnds: BackEnd[];
let site: Site;
let template: string;
let port: number;
let otherPort: number;

/** A user's template that HAProxy takes for services without a check only. */
beforeEach(async () => {
  backEnds = [await stand.backEnd('a'), await stand.backEnd('b'), await stand.backEnd('c')];
  // As it is for a user: the watch is to tell what happens, and not the poll.
  site = await stand.site({ env: { POLL: '5s' }, answersWithinMs: 30_000 });
  ({ port, otherPort } = site);
  const listener = await builtInWith('listener', '    option httpchk\n', '    option frobchk\n');
  template = await writeTemplates(site.dir, { listener });
});

const put = async (key: string, backEnd: number, attributes: string): Promise<void> => {
  await site.put(key, `${backEnds[backEnd]?.address ?? ''}?${attributes}`);
};

const words = /^HAProxy refuses it.*: unknown option 'frobchk'\.$/;

it('a service that HAProxy refuses is left out with its words, also at the start, and all others are served and follow', async () => {
  await put('bad/c', 2, `port=${String(otherPort)}&check=/healthz`);
  await put('web/a', 0, `port=${String(port)}`);
  site.start({ TEMPLATE: template });
  await site.answers(port, 'a');
  await put('web/b', 1, `port=${String(port)}`);
  await site.answers(port, 'a', 'b');
  const { problems, fault } = await site.lsJson();
  expect(fault).toBeNull();
  expect(problems).toEqual([{ key: `bad:${String(otherPort)}`, reason: expect.stringMatching(words) as string }]);
  // Without what HAProxy refuses it comes.
  await put('bad/c', 2, `port=${String(otherPort)}`);
  await site.answers(otherPort, 'c');
  expect((await site.lsJson()).problems).toEqual([]);
});

it('a service that comes to ask for what HAProxy refuses goes on as it was, with the endpoints of now, over a crash too', async () => {
  await put('web/a', 0, `port=${String(port)}`);
  site.start({ TEMPLATE: template });
  await site.answers(port, 'a');
  await put('web/b', 1, `port=${String(port)}&check=/healthz`);
  await site.answers(port, 'a', 'b');
  await waitFor('the reason', async (seen) => words.test(seen((await site.lsJson()).problems)[0]?.reason ?? ''));
  await site.remove('web/a');
  await site.answers(port, 'b');
  // Another service comes by a reload, which the one in quarantine does not hinder.
  await put('other/c', 2, `port=${String(otherPort)}`);
  await site.answers(otherPort, 'c');
  await site.reloadEnded(`other:${String(otherPort)}`);
  const pid = await site.worker();
  process.kill(pid, 'SIGKILL');
  await waitFor('another worker', async (seen) => ![null, pid].includes(seen((await site.lsJson()).haproxy.workerPid)));
  await site.answers(port, 'b');
  await site.answers(otherPort, 'c');
});
