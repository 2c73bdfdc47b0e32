import { rm } from 'node:fs/promises'
import type { Ask } from '../install/ask.ts'
import type { Context } from '../output/context.ts'

type AskHere = (context: Context) => Promise<Pick<Ask, 'confirm'>>

/** The prompts are loaded when somebody is asked. */
const onTerminal: AskHere = async (context) => {
  const { terminalAsk } = await import('../install/ask.ts')
  return await terminalAsk(context)
}

/**
 * Removes the folder of a network that has ended, or says that it stays. One that was given stays, one of its own goes; after a failure that
 * one is needed to see why, and a person is asked before it is left behind.
 */
export const putAway = async (
  context: Context,
  folder: string,
  how: { isOwn: boolean; clean: boolean },
  ask: AskHere = onTerminal
): Promise<void> => {
  const { terminal, signal } = context
  const isTemporary = how.isOwn && (how.clean || signal.aborted || !(await isWanted(context, folder, ask)))
  if (isTemporary) await rm(folder, { recursive: true, force: true })
  else terminal.progress(terminal.paintProgress('dim', `state and logs are kept in ${folder}`))
}

const isWanted = async (context: Context, folder: string, ask: AskHere): Promise<boolean> => {
  const { stdin, stderr } = context.terminal
  if (stdin.isTTY !== true || stderr.isTTY !== true) return true
  const { confirm } = await ask(context)
  return await confirm(`It failed. Keep state and logs in ${folder}?`, true).catch(() => true)
}
