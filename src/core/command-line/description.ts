/** The value of an option, or an argument of a command. */
export interface ValueText {
  /** As help shows it between brackets: `duration`. */
  readonly name: string;
  readonly isOptional: boolean;
  /** All that may stand there, where that is a few words; none otherwise. */
  readonly choices: readonly string[];
  readonly kind: 'path' | 'directory' | 'text';
}

export interface OptionText {
  /** `--version`, and `-V` where it has one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Null where it takes none. */
  readonly value: ValueText | null;
  /** The environment variable that says the same. */
  readonly variable: string | null;
  /** What holds where it is not given, as help shows it. */
  readonly initial: string | null;
}

export interface ArgumentText extends ValueText {
  readonly description: string;
  readonly isVariadic: boolean;
}

export interface CommandText {
  readonly name: string;
  readonly description: string;
  readonly args: readonly ArgumentText[];
  readonly options: readonly OptionText[];
}

/** A whole command line in words, for whoever explains it: completions, the manual. Its options may follow a command too. */
export interface ProgramText extends Omit<CommandText, 'args'> {
  readonly version: string;
  readonly commands: readonly CommandText[];
}

/** Those that are followed by a value. */
export function valuedOf(options: readonly OptionText[]): (OptionText & { readonly value: ValueText })[] {
  return options.flatMap(({ value, ...option }) => (value === null ? [] : [{ ...option, value }]));
}

/** What can follow a command: the words of its first argument. */
export function firstWordsOf({ args }: Pick<CommandText, 'args'>): readonly string[] {
  return args[0]?.choices ?? [];
}

/** `docker-discover` as part of the name of a shell function. */
export function identifierOf({ name }: Pick<ProgramText, 'name'>): string {
  return name.replaceAll('-', '_');
}

/** A word for a shell, between single quotes. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
