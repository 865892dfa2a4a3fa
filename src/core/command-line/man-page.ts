import type { ArgumentText, CommandText, OptionText, ProgramText, ValueText } from './description.js';

export interface ManPageParts {
  /** Exit codes and what each means. */
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  /** Names of other pages of this section. */
  readonly seeAlso: readonly string[];
}

/** The manual page of a program, section 1, in the macros of man(7). */
export function manPage(program: ProgramText, { exitCodes, seeAlso }: ManPageParts): string {
  const { name, version, description, options, commands } = program;
  const all = [...options, ...commands.flatMap((command) => command.options)];
  const variables = all.flatMap(({ variable, flags }) => (variable === null ? [] : [{ variable, flags }]));
  return lines(
    `.TH ${name.toUpperCase()} 1 "" "${name} ${text(version)}" "User Commands"`,
    // No hyphens of groff's own: whoever copies a word gets it whole.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${text(name)} \\- ${text(summaryOf(description))}`,
    '.SH SYNOPSIS',
    `${bold(name)} [${italic('option')} ...]`,
    '.br',
    `${bold(name)} [${italic('option')} ...] ${italic('command')} [${italic('argument')} ...]`,
    '.SH DESCRIPTION',
    sentence(description),
    'Without a command the daemon runs, until SIGTERM or SIGINT.',
    '.PP',
    'A setting is an option or an environment variable; where both are given, the option holds.',
    'Times have a unit: 500ms, 15s, 2m, 1h.',
    '.SH OPTIONS',
    ...options.map(optionEntry),
    '.SH COMMANDS',
    'The options above may follow a command, too.',
    ...commands.map(commandEntry),
    '.SH ENVIRONMENT',
    ...variables.map(({ variable, flags }) => lines('.TP', bold(variable), `as ${bold(flags.at(-1) ?? '')}`)),
    '.SH EXIT STATUS',
    ...exitCodes.map(([code, meaning]) => lines('.TP', bold(String(code)), sentence(meaning))),
    '.SH SEE ALSO',
    seeAlso.map((other) => `${bold(other)}(1)`).join(', '),
  ).concat('\n');
}

function optionEntry({ flags, description, value, variable, initial }: OptionText): string {
  const names = flags.map(bold).join(', ');
  const notes = [
    ...(value !== null && value.choices.length > 0 ? [`One of: ${text(value.choices.join(', '))}.`] : []),
    ...(initial === null ? [] : [`Default: ${text(initial)}.`]),
    ...(variable === null ? [] : [`Environment: ${bold(variable)}.`]),
  ];
  const tag = value === null ? names : `${names} ${valueText(value)}`;
  return lines('.TP', tag, sentence(description), ...notes);
}

function commandEntry({ name, description, args, ...command }: CommandText): string {
  const options = command.options.filter(({ flags }) => !flags.includes('--help'));
  const usage = [bold(name), ...(options.length > 0 ? [`[${italic('option')} ...]`] : []), ...args.map(argumentText)];
  const described = args.filter((argument) => argument.description !== '');
  return lines(
    `.SS ${usage.join(' ').replaceAll(' ', '\\ ')}`,
    sentence(description),
    ...described.map((argument) => lines('.TP', argumentText(argument), sentence(argument.description))),
    ...options.map(optionEntry),
  );
}

function argumentText(argument: ArgumentText): string {
  return `${valueText(argument)}${argument.isVariadic ? ' ...' : ''}`;
}

function valueText({ name, isOptional }: ValueText): string {
  return isOptional ? `[${italic(name)}]` : italic(name);
}

/** `Keeps a HAProxy in step.` → `keeps a HAProxy in step`, as whatis shows it. */
function summaryOf(description: string): string {
  return `${description.charAt(0).toLowerCase()}${description.slice(1).replace(/\.$/, '')}`;
}

function sentence(words: string): string {
  return text(words.endsWith('.') ? words : `${words}.`);
}

function bold(words: string): string {
  return `\\fB${text(words)}\\fR`;
}

function italic(words: string): string {
  return `\\fI${text(words)}\\fR`;
}

/** As it stands on the page: nothing of it is an escape or a request, and a hyphen is that of ASCII, to be copied. */
function text(words: string): string {
  return words
    .replaceAll(/\s+/g, ' ')
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^[.']/, '\\&$&')
    .replace(
      /[^ -~]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}

function lines(...all: readonly string[]): string {
  return all.join('\n');
}
