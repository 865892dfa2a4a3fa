import { Option } from 'commander';
import { SettingError } from '../core/errors.js';
import { by, durationOption, parseDirectory } from './options.js';

/** Somebody else's proxy instead of a HAProxy of ours. */
export interface ExecSettings {
  readonly exec?: string;
  readonly execCheck?: string;
  readonly execTimeout: number;
  readonly output?: string;
}

export function execOptions(): Option[] {
  return [
    new Option(
      '--exec <command>',
      'run no HAProxy: render TEMPLATE to OUTPUT, and run this with /bin/sh at the start and after each change (FILE is the path of OUTPUT)',
    ).env('EXEC'),
    new Option('--exec-check <command>', 'run before a file is taken, with FILE as the path of the candidate').env(
      'EXEC_CHECK',
    ),
    new Option('--output <path>', 'the file that is rendered for EXEC').env('OUTPUT').argParser(by(parseDirectory)),
    durationOption({
      flags: '--exec-timeout',
      env: 'EXEC_TIMEOUT',
      description: 'after this time EXEC or EXEC_CHECK is ended, with its process group',
      defaultMs: 30_000,
      leastMs: 100,
      mostMs: 3_600_000,
    }),
  ];
}

/** What is needed where HAProxy is not ours. */
export interface Exec {
  readonly command: string;
  readonly check: string | null;
  readonly timeoutMs: number;
  readonly path: string;
}

type Others = Readonly<Record<'template' | 'httpBind' | 'httpsBind' | 'certs', unknown>>;

/** Null where HAProxy is ours. @throws SettingError where one of the settings needs another, or does not go with it */
export function execOf({
  exec,
  execCheck,
  execTimeout,
  output,
  ...others
}: ExecSettings & Partial<Others>): Exec | null {
  if (exec === undefined) {
    const [name] = [execCheck === undefined ? null : 'EXEC_CHECK', output === undefined ? null : 'OUTPUT'].filter(
      (one) => one !== null,
    );
    if (name !== undefined)
      throw new SettingError(`${name} is for EXEC, the command to run after a change: set that too`);
    return null;
  }
  if (output === undefined) throw new SettingError('EXEC needs OUTPUT, the path of the file to render');
  if (others.template === undefined) throw new SettingError('EXEC needs TEMPLATE, the template of OUTPUT');
  if ([others.httpBind, others.httpsBind, others.certs].some((one) => one !== undefined))
    throw new SettingError('HTTP_BIND, HTTPS_BIND and CERTS are for HAProxy; with EXEC the template opens the ports');
  return { command: exec, check: execCheck ?? null, timeoutMs: execTimeout, path: output };
}
