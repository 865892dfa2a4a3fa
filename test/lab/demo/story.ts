import type { EngineHost, Lab } from '../lab.js';
import { check } from './check.js';
import type { Terminal } from './terminal.js';
import { answersIn, killing, startTraffic } from './traffic.js';

/** From two services on two hosts to four, and down to one, seen from a client host. */
export async function tellStory(lab: Lab, { heading, say, show, wait }: Terminal): Promise<void> {
  const { etcd, client, backends } = lab;
  const [backend1, backend2] = backends;
  const url = `${client.ip}:8000`;
  const keys = async (): Promise<string[]> =>
    (await etcd.run('etcdctl get --prefix --keys-only /backends/')).stdout.split('\n').filter((line) => line !== '');
  const answering = async (count: number): Promise<Set<string>> =>
    new Set(
      answersIn((await client.run(`for i in {1..${String(count)}}; do curl -sS --max-time 5 ${url}; done`)).stdout),
    );
  const run = async (host: EngineHost, options: string, image: string): Promise<string> =>
    (await show(host, `docker run -d ${options} ${image}`)).trim().slice(0, 12);

  heading('A service on both back-end hosts');
  const whoami1 = await run(backend1, '--name whoami -p 8000:8000', 'whoami');
  const whoami2 = await run(backend2, '--name whoami -p 8000:8000', 'whoami');

  heading('docker-register on both back-end hosts');
  for (const host of [backend1, backend2]) {
    const settings = `-e HOST_IP=${host.ip} -e ETCD_HOST=${etcd.ip} -v /var/run/docker.sock:/var/run/docker.sock`;
    await run(host, `--name docker-register ${settings}`, 'docker-register');
  }
  await wait('etcd holds both', async (seen) => seen(await keys()).length === 2);

  heading('What stands in etcd, and for how long without its host');
  const stored = await show(etcd, 'etcdctl get --prefix /backends/');
  for (const [id, host] of [[whoami1, backend1] as const, [whoami2, backend2] as const]) {
    const record = `/backends/whoami/${id}\n${host.ip}:8000`;
    check(stored.includes(record), `etcd has ${record.replace('\n', ' = ')}`, stored);
  }
  const leases = (await show(etcd, 'etcdctl lease list')).split('\n').filter((line) => /^[0-9a-f]+$/.test(line));
  check(leases.length === 2, 'each back-end host has one lease', leases);
  for (const lease of leases) {
    const shown = await show(etcd, `etcdctl lease timetolive --keys ${lease}`);
    check(/TTL\(15s\).*\/backends\/whoami\//.test(shown), 'a lease of 15 s has the key of its host', shown);
  }

  heading('docker-discover on the client host');
  await run(client, `--name docker-discover --net host -e ETCD_HOST=${etcd.ip}`, 'docker-discover');
  await wait(`${url} answers from both`, async (seen) => seen(await answering(4)).size === 2);

  heading('The service, as if it ran on the client host');
  const answers: string[] = [];
  for (let i = 0; i < 6; i += 1) answers.push(...answersIn(await show(client, `curl ${url}`)));
  const alternate = answers.every((id, i) => [whoami1, whoami2].includes(id) && id !== answers[i - 1]);
  check(answers.length === 6 && alternate, 'six answers alternate between the two', answers);

  heading('Two more on backend-1, on whichever ports are free');
  const more = [
    await run(backend1, '--name whoami-2 -p :8000', 'whoami'),
    await run(backend1, '--name whoami-3 -p :8000', 'whoami'),
  ];
  await wait('all four answer', async (seen) => seen(await answering(8)).size === 4);
  const four = await show(client, `for i in {1..8}; do curl -s ${url}; done`);
  for (const id of [whoami1, whoami2, ...more]) check(four.includes(id), `${id} answers`, four);
  await show(etcd, 'etcdctl get --prefix /backends/');

  heading('Three of the four are killed, under traffic');
  const traffic = startTraffic(client, url);
  const last = (count: number): readonly string[] => traffic.answers().slice(-count);
  await wait('20 requests are answered, by all four', () => last(20).length === 20 && new Set(last(20)).size === 4);
  const inHand = await killing(backend1, () => show(backend1, 'docker kill whoami whoami-2 whoami-3'));
  await wait('only one of them stands in etcd', async (seen) => seen(await keys()).length === 1);
  const before = traffic.answers().length;
  await wait('50 more requests are answered, all by that one', (seen) => {
    const ids = seen(last(50));
    return traffic.answers().length >= before + 50 && ids.every((id) => id === whoami2);
  });
  const { requests, failures } = await traffic.end();
  // Counted and said, but no fault of the pair: what a killed container had in hand is lost in any case.
  const lostInHand = failures.filter(inHand);
  say(`${String(requests)} requests meanwhile, ${String(failures.length)} failed`);
  if (lostInHand.length > 0) {
    say(`(${String(lostInHand.length)} of them in the hands of a container at the very moment of its kill)`);
  }
  check(failures.length === lostInHand.length, 'no other request failed meanwhile', failures);
  const one = await show(client, `for i in {1..4}; do curl -s ${url}; done`);
  check(answersIn(one).join() === Array<string>(4).fill(whoami2).join(), 'only the one on backend-2 answers', one);

  heading("HAProxy's own page");
  const page = `${client.ip}:1936`;
  await show(client, `curl -s -o /dev/null -w '%{http_code}, %{content_type}, %{size_download} bytes\\n' ${page}`);
  const { stdout: html } = await client.run(`curl -sS --fail ${page}`);
  check(/Statistics Report/.test(html) && /whoami/.test(html), 'the stats page shows whoami', html.slice(0, 500));

  heading('The same in short');
  const table = await show(client, 'docker exec docker-discover docker-discover ls');
  check(table.includes('whoami') && table.includes(`${backend2.ip}:8000`), 'ls lists the one endpoint', table);
}
