import { expect } from 'vitest';
import type { Finding } from '../../../src/core/doctor/finding.js';
import { runDaemon } from './daemon.js';

export interface Examination {
  readonly code: number | null;
  readonly findings: readonly Finding[];
  /** `failed etcd write: … | mend`, each finding of that name. */
  of(check: string): string;
}

/** `doctor --json`, to its end. */
export async function examine(
  name: 'docker-register' | 'docker-discover',
  env: Readonly<Record<string, string>>,
): Promise<Examination> {
  const { code, output } = await runDaemon(name, ['doctor', '--json'], env);
  expect(output).toMatch(/^\[[\n -~]*\]\n$/);
  const findings = JSON.parse(output) as Finding[];
  for (const { result, mend } of findings) expect(mend === null).toBe(result === 'ok' || result === 'not checked');
  expect(code).toBe(findings.some(({ result }) => result === 'failed') ? 1 : 0);
  const lineOf = ({ check, result, found, mend }: Finding): string =>
    `${result} ${check}: ${found}${mend === null ? '' : ` | ${mend}`}`;
  return {
    code,
    findings,
    of: (check) =>
      findings
        .filter((finding) => finding.check === check)
        .map(lineOf)
        .join('\n'),
  };
}
