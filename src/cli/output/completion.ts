import type { Command } from 'commander'
import type { AddCommand } from './context.ts'

const examples = `
Examples:
  trustnet completion bash > /etc/bash_completion.d/trustnet
  trustnet completion zsh > "\${fpath[1]}/_trustnet"
  trustnet completion fish > ~/.config/fish/completions/trustnet.fish`

export const addCompletion: AddCommand = (program, { terminal }) => {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', examples)
    .action((shell: string, _: object, command: Command) => {
      const script = scripts[shell]
      if (script === undefined) command.error(`error: there is a completion for ${Object.keys(scripts).join(', ')}`)
      else terminal.stdout.write(script)
    })
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => {
      for (const word of completions(program, words)) terminal.print(word)
    })
}

/** What may come after these words: subcommands and long options of the command that they lead to. */
const completions = (program: Command, words: readonly string[]): string[] => {
  const last = words.at(-1) ?? ''
  let command = program
  for (const word of words.slice(0, -1)) command = command.commands.find((one) => one.name() === word) ?? command
  const visible = command.createHelp()
  const names = visible.visibleCommands(command).map((one) => one.name())
  const options = visible
    .visibleOptions(command)
    .flatMap(({ long }) => (long === undefined || long === null ? [] : [long]))
  return [...names, ...options].filter(
    (name) => name.startsWith(last) && (last.startsWith('-') || !name.startsWith('-'))
  )
}

// Each asks the program itself, so a script never lags behind the installed version.
const scripts: Readonly<Record<string, string>> = {
  bash: `_trustnet() {
  local IFS=$'\\n'
  COMPREPLY=($(trustnet complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _trustnet trustnet
`,
  zsh: `#compdef trustnet
_trustnet() {
  local -a found
  found=("\${(@f)$(trustnet complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
_trustnet "$@"
`,
  fish: `complete -c trustnet -f -a '(trustnet complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`
}
