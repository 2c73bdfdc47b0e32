import { Command } from 'commander'
import { loadCommands } from '../../../src/cli/commands.ts'
import type { Context } from '../../../src/cli/output/context.ts'
import { Terminal } from '../../../src/cli/output/terminal.ts'

export interface KnownCommand {
  readonly words: readonly string[]
  readonly command: Command
  /** It does something itself, and is no mere group of others. */
  readonly acts: boolean
}

const nowhere = { write: () => true }

/** Every command of the program, groups and hidden ones too. */
export const commandTree = async (): Promise<readonly KnownCommand[]> => {
  const stdin = process.stdin
  const context: Context = {
    terminal: new Terminal({ stdout: nowhere, stderr: nowhere, stdin, env: {}, redact: (text) => text }),
    signal: new AbortController().signal,
    exit() {},
    conduct() {},
    onHangup() {}
  }
  const program = new Command('trustnet')
  for (const add of await loadCommands([])) add(program, context)
  return below(program, [])
}

const below = (command: Command, words: readonly string[]): KnownCommand[] =>
  command.commands.flatMap((child) => {
    const path = [...words, child.name()]
    const acts = Reflect.get(child, '_actionHandler') !== null
    return [{ words: path, command: child, acts }, ...below(child, path)]
  })
