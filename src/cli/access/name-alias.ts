import { type Command, Option } from 'commander'

/** `--node` and `--name` are one thing where a command has one of them: the other one is taken, too, and shown nowhere. */
export const aliasNames = (command: Command): void => {
  // The options of a group are read behind its commands, too, and would take theirs.
  if (command.commands.length > 0) return
  const has = (long: string): boolean => command.options.some((option) => option.long === long)
  if (has('--node') && !has('--name')) alias(command, '--name <name>', 'name', 'node')
  if (has('--name') && !has('--node')) {
    alias(command, '-n, --node <name>', 'node', 'name')
    if (!has('--node-name')) alias(command, '--node-name <name>', 'node-name', 'name')
  }
}

const alias = (command: Command, flags: string, word: string, meant: string): void => {
  command
    .addOption(new Option(flags).hideHelp())
    .on(`option:${word}`, (value: string) => command.setOptionValueWithSource(meant, value, 'cli'))
}
