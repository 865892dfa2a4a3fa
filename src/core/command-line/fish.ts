import { firstWordsOf, identifierOf, valuedOf, type OptionText, type ProgramText } from './description.js';

/** The script that completes a program in fish, from 3.1 on. */
export function fishCompletion(program: ProgramText): string {
  const { name, commands, options } = program;
  const isAt = `__${identifierOf(program)}_at`;
  const at = (command: string): string => ` -n ${quoted(`${isAt} ${command === '' ? '""' : command}`)}`;
  const lines = [
    ...commands.map((one) => `${at('')} -a ${one.name} -d ${quoted(one.description)}`),
    ...options.map(optionArguments),
    ...commands.flatMap((one) => one.options.map((option) => `${at(one.name)}${optionArguments(option)}`)),
    ...commands
      .filter((one) => firstWordsOf(one).length > 0)
      .map((one) => `${at(one.name)} -a ${quoted(firstWordsOf(one).join(' '))}`),
  ];
  return `# Completion of ${name} in fish, made by: ${name} completion fish
# Whether this is the command that stands in the line; '' is none.
function ${isAt}
    set -l command ''
    set -l follows value-of-nothing
    for word in (commandline -opc)[2..-1]
        switch $word
            case ${valuedOf(options)
              .flatMap(({ flags }) => flags)
              .join(' ')}
                set follows value
            case '-*'
                set follows value-of-nothing
            case '*'
                if test $follows = value-of-nothing
                    set command $word
                    break
                end
                set follows value-of-nothing
        end
    end
    test "$command" = "$argv[1]"
end
complete -c ${name} -f
${lines.map((line) => `complete -c ${name}${line}`).join('\n')}
`;
}

function optionArguments({ flags, description, value }: OptionText): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`)).join('');
  return `${names}${valueArguments(value)} -d ${quoted(description)}`;
}

function valueArguments(value: OptionText['value']): string {
  if (value === null) return '';
  if (value.choices.length > 0) return ` -x -a ${quoted(value.choices.join(' '))}`;
  if (value.kind === 'directory') return ' -x -a "(__fish_complete_directories)"';
  return value.kind === 'path' ? ' -r -F' : ' -x';
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, String.raw`\$&`)}'`;
}
