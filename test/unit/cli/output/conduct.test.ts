import { expect, test } from 'vitest'
import { conductOf, decidedCommands } from '../../../../src/cli/output/conduct.ts'
import { commandTree } from '../../../helpers/commands/command-tree.ts'

test('for every command it is decided what a closed pipe, a full disk and a signal do, and for no other', async () => {
  const acting = (await commandTree()).filter(({ acts }) => acts).map(({ words }) => words.join(' '))
  expect([...decidedCommands].toSorted()).toEqual(acting.toSorted())
})

test('a command that nobody has decided about comes to its end', () => {
  expect(conductOf('constructor')).toBe('changes')
})
