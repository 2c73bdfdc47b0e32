import { describe, expect, test } from 'vitest'
import { conductOf } from '../../../src/cli/output/conduct.ts'
import { type RouteName, routes } from '../../../src/node/api/routes.ts'
import { commandTree, type KnownCommand } from '../../helpers/commands/command-tree.ts'

/**
 * Every command that changes something, and what follows from what it changes:
 * - a call: it is an entry of the log, which an operator causes: made at the root, or signed with `--as`
 * - `here`: it changes a process or a machine, and nobody else's
 * - `root`: the authority, the root's own process or its stores
 */
const changes: ReadonlyMap<string, { by: RouteName | 'here' | 'root'; takes?: '--plan' | '--yes' | '--confirm' }> =
  new Map([
    ['drill', { by: 'here' }],
    ['install', { by: 'here', takes: '--plan' }],
    ['upgrade', { by: 'here', takes: '--plan' }],
    ['uninstall', { by: 'here', takes: '--plan' }],
    ['init', { by: 'here' }],
    ['registry approve', { by: 'approve' }],
    ['registry reject', { by: 'reject' }],
    ['registry backup', { by: 'here' }],
    // The store that was there is moved aside, not overwritten.
    ['registry restore', { by: 'here' }],
    ['registry resume', { by: 'root' }],
    ['registry clock', { by: 'root' }],
    ['registry evict', { by: 'here', takes: '--confirm' }],
    ['registry void', { by: 'root' }],
    // Without --yes they print their plan.
    ['registry promote', { by: 'root', takes: '--yes' }],
    ['registry recover', { by: 'root', takes: '--yes' }],
    ['authority rotate', { by: 'root', takes: '--yes' }],
    ['registry rotate-log-key', { by: 'root', takes: '--plan' }],
    ['peers connect', { by: 'here' }],
    ['peers disconnect', { by: 'here' }],
    ['report', { by: 'here' }],
    ['log-level', { by: 'here' }],
    ['reload', { by: 'here' }],
    ['identity rotate', { by: 'here', takes: '--plan' }],
    ['address', { by: 'here' }],
    ['invite', { by: 'invite' }],
    ['invite cancel', { by: 'cancelInvite' }],
    ['policy set', { by: 'setPolicy', takes: '--plan' }],
    // It shows what changes for whom, and asks.
    ['policy edit', { by: 'setPolicy', takes: '--yes' }],
    ['leave', { by: 'here', takes: '--plan' }],
    ['join', { by: 'here' }],
    ['revoke', { by: 'revoke', takes: '--plan' }],
    ['member rename', { by: 'changeMember' }],
    ['member role', { by: 'changeMember' }],
    ['member groups', { by: 'changeMember' }],
    ['member end', { by: 'endMember', takes: '--plan' }],
    ['registry retire', { by: 'retireRegistry', takes: '--plan' }],
    ['operator add', { by: 'addOperator', takes: '--plan' }],
    ['operator remove', { by: 'removeOperator', takes: '--plan' }],
    ['operator key', { by: 'here' }],
    ['operator approve', { by: 'approveOrder' }],
    ['dns set', { by: 'here', takes: '--plan' }],
    ['config migrate', { by: 'here' }]
  ])

/** Calls that an operator signs and no command of their own makes. */
const asked: readonly RouteName[] = ['waitingOrders']

const known = new Map((await commandTree()).filter(({ acts }) => acts).map((one) => [one.words.join(' '), one]))

const optionsOf = ({ command }: KnownCommand): (string | undefined)[] => command.options.map(({ long }) => long)

test('every command that changes something is in this table, and no other', () => {
  const changing = [...known.keys()].filter((words) => conductOf(words) === 'changes')
  expect([...changes.keys()].toSorted()).toEqual(changing.toSorted())
})

test('every call that an operator signs is made by a command of this table', () => {
  const signed = Object.entries(routes).flatMap(([name, { needs }]) => (needs === 'operator' ? [name] : []))
  const made = new Set<string>([...changes.values()].map(({ by }) => by))
  expect(signed.filter((name) => !made.has(name) && !asked.some((each) => each === name))).toEqual([])
})

describe.each([...changes])('%s', (words, { by, takes }) => {
  const one = known.get(words)
  const options = one === undefined ? [] : optionsOf(one)

  test('has --json', () => {
    expect(options).toContain('--json')
  })

  test.runIf(takes !== undefined)('takes something away, and says before what it would do', () => {
    expect(options).toContain(takes)
  })

  test.runIf(by !== 'here' && by !== 'root')('is refused where it may not be made, or signed with --as', () => {
    expect(options).toContain('--as')
    expect(routes[by as RouteName]).toMatchObject({ needs: 'operator', writes: true })
  })
})
