import {
  firstWordsOf,
  identifierOf,
  shellQuoted,
  valuedOf,
  type OptionText,
  type ProgramText,
  type ValueText,
} from './description.js';

/** The script that completes a program in bash, from 4.0 on. */
export function bashCompletion(program: ProgramText): string {
  const { name, commands, options } = program;
  const own = `_${identifierOf(program)}`;
  const valued = valuedOf(options).flatMap(({ flags }) => flags);
  const values = [
    ...commands.flatMap((command) => valuedOf(command.options).map((option) => valueCase(command.name, option))),
    ...valuedOf(options).map((option) => valueCase('*', option)),
  ];
  const words = commands.map((command) => {
    const first = shellQuoted(firstWordsOf(command).join(' '));
    return `    ${command.name}) words=${first} flags=${shellQuoted(flagsOf(command.options))} ;;`;
  });
  return `# Completion of ${name} in bash, made by: ${name} completion bash
${own}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= words= flags= at
  COMPREPLY=()
  # To bash, = and : are words of their own.
  if [[ $word == = ]]; then word=
  elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
      [=:]) ((at++)) ;;
      ${valued.join(' | ')}) [[ \${COMP_WORDS[at + 1]} == [-=]* ]] || ((at++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[at]}; break ;;
    esac
  done
  if [[ $word != -* ]]; then
    case $command:$previous in
${values.map((line) => `      ${line}`).join('\n')}
    esac
  fi
  case $command in
    '') words=${shellQuoted(commands.map((command) => command.name).join(' '))} ;;
${words.join('\n')}
  esac
  if [[ $word == -* ]]; then words="$flags ${flagsOf(options)}"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F ${own} ${name}
`;
}

function flagsOf(options: readonly OptionText[]): string {
  return options.flatMap(({ flags }) => flags).join(' ');
}

function valueCase(command: string, { flags, value }: OptionText & { readonly value: ValueText }): string {
  return `${flags.map((flag) => `${command}:${flag}`).join(' | ')}) ${completionOf(value)}return ;;`;
}

function completionOf({ choices, kind }: ValueText): string {
  if (choices.length > 0) return `mapfile -t COMPREPLY < <(compgen -W ${shellQuoted(choices.join(' '))} -- "$word"); `;
  // Readline then completes by itself.
  if (kind === 'path') return 'compopt -o default; ';
  return kind === 'directory' ? 'compopt -o dirnames; ' : '';
}
