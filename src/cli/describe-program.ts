import type { Argument, Command, Option } from 'commander';
import type { ArgumentText, OptionText, ProgramText, ValueText } from '../core/command-line/description.js';

/** What help shows of a program, as data. */
export function describeProgram(program: Command, version: string): ProgramText {
  const help = program.createHelp();
  return {
    name: program.name(),
    version,
    description: program.description(),
    options: help.visibleOptions(program).map(optionText),
    commands: help.visibleCommands(program).map((command) => ({
      name: command.name(),
      description: command.description(),
      args: command.registeredArguments.map(argumentText),
      options: help.visibleOptions(command).map(optionText),
    })),
  };
}

function optionText(option: Option): OptionText {
  const { short, long, flags, description, envVar, argChoices } = option;
  const takesValue = option.required || option.optional;
  const name = /[<[]([^>\]]+)[>\]]$/.exec(flags)?.[1] ?? '';
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: takesValue ? valueText(name, option.optional, argChoices) : null,
    variable: envVar ?? null,
    initial: defaultText(option),
  };
}

function argumentText(argument: Argument): ArgumentText {
  const { description, required, variadic, argChoices } = argument;
  return { ...valueText(argument.name(), !required, argChoices), description, isVariadic: variadic };
}

function valueText(name: string, isOptional: boolean, choices?: readonly string[]): ValueText {
  const isYesNo = name === 'yes|no';
  const kind = name === 'path' || name === 'directory' ? name : 'text';
  return { name, isOptional, choices: choices ?? (isYesNo ? ['yes', 'no'] : []), kind };
}

function defaultText({ defaultValue, defaultValueDescription }: Option): string | null {
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  return typeof defaultValue === 'string' || typeof defaultValue === 'number' ? String(defaultValue) : null;
}
