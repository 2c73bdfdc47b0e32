import { expect, it } from 'vitest'
import { rootCommands } from '../../attacks/machine/root-commands.ts'

it('every command has a call with which the attacks of a service user try it as root', async () => {
  const { missed, stopped, running } = await rootCommands()
  // A new one is called in test/helpers/commands/command-calls.ts, or in root-commands.ts where that is not enough.
  expect(missed).toEqual([])
  expect(stopped.length + running.length).toBeGreaterThan(50)
})
