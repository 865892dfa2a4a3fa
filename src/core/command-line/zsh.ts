import { shellQuoted, type ArgumentText, type OptionText, type ProgramText, type ValueText } from './description.js';

/** The script that completes a program in zsh: to be sourced, or to be a file `_NAME` in a directory of `fpath`. */
export function zshCompletion(program: ProgramText): string {
  const { name, commands, options } = program;
  const own = `_${name}`;
  const described = commands.map((command) => `    ${shellQuoted(`${command.name}:${command.description}`)}`);
  const cases = commands.map((command) => {
    const specs = [...command.options.flatMap(optionSpecs), ...command.args.map(argumentSpec)];
    return `        ${command.name}) _arguments $globals ${specs.join(' ')} ;;`;
  });
  return `#compdef ${name}
# Completion of ${name} in zsh, made by: ${name} completion zsh
${own}() {
  local -a globals=(
${options
  .flatMap(optionSpecs)
  .map((spec) => `    ${spec}`)
  .join('\n')}
  )
  local -a commands=(
${described.join('\n')}
  )
  local curcontext=$curcontext state state_descr line
  local -A opt_args
  _arguments -C $globals '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == ${own} ]]; then ${own} "$@"; else compdef ${own} ${name}; fi
`;
}

function optionSpecs({ flags, description, value }: OptionText): string[] {
  const text = `[${escaped(description)}]`;
  return flags.map((flag) =>
    shellQuoted(
      value === null ? `${flag}${text}` : `${flag}=${text}${value.isOptional ? '::' : ':'}${valueSpec(value)}`,
    ),
  );
}

function argumentSpec(argument: ArgumentText): string {
  return shellQuoted(`${argument.isVariadic ? '*:' : argument.isOptional ? '::' : ':'}${valueSpec(argument)}`);
}

function valueSpec({ name, choices, kind }: ValueText): string {
  const action =
    choices.length > 0 ? `(${choices.join(' ')})` : { path: '_files', directory: '_files -/', text: ' ' }[kind];
  return `${escaped(name)}:${action}`;
}

function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, String.raw`\$&`);
}
