import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectDir } from '../lab/cache.js';

interface Lock {
  /** By directory; that of the project itself is empty. */
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean; readonly integrity?: string }>
  >;
}

/** As docs/security.md has it. */
async function billOfMaterials(): Promise<string[]> {
  const options = { cwd: projectDir, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], options);
  const bill = JSON.parse(stdout) as { readonly bomFormat: string; readonly components: readonly { purl: string }[] };
  expect(bill.bomFormat).toBe('CycloneDX');
  return bill.components.map(({ purl }) => decodeURIComponent(purl.replace(/^pkg:npm\//, '').replace(/\?.*/, '')));
}

it('the bill of materials is what the images are made of, each package by its hash', async () => {
  const { packages } = JSON.parse(await readFile(`${projectDir}/package-lock.json`, 'utf8')) as Lock;
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  for (const [path, { integrity = '' }] of shipped) expect(integrity, path).toMatch(/^sha512-/);
  const wanted = shipped.map(([path, { version }]) => `${path.replace(/.*node_modules\//, '')}@${version}`);
  expect([...new Set(await billOfMaterials())].sort()).toEqual([...new Set(wanted)].sort());
  // Each is somebody else's code in a daemon that has Docker's socket: a change of this number is to be thought about.
  expect(wanted.length).toBeLessThanOrEqual(100);
}, 60_000);
