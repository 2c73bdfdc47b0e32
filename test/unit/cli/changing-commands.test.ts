import { expect, test } from 'vitest'
import { conductOf } from '../../../src/cli/output/conduct.ts'
import { type RouteName, routes } from '../../../src/node/api/routes.ts'
import { commandTree, type KnownCommand } from '../../helpers/commands/command-tree.ts'

/**
 * Every command that changes something, and what follows from what it changes:
 * - a call: it is an entry of the log, which an operator causes: made at the root, or signed with `--as`
 * - `here`: it changes a process or a machine, and nobody else's
 * - `root`: the authority, the root's own process or its stores
 */
const changes: ReadonlyMap<string, RouteName | 'here' | 'root'> = new Map([
  ['drill', 'here'],
  ['install', 'here'],
  ['upgrade', 'here'],
  ['uninstall', 'here'],
  ['init', 'here'],
  ['registry approve', 'approve'],
  ['registry reject', 'reject'],
  ['registry backup', 'here'],
  ['registry restore', 'here'],
  ['registry resume', 'root'],
  ['registry clock', 'root'],
  ['registry witness-lines', 'here'],
  ['registry evict', 'here'],
  ['registry void', 'root'],
  ['registry promote', 'root'],
  ['registry recover', 'root'],
  ['authority rotate', 'root'],
  ['registry rotate-log-key', 'root'],
  ['registry move-root', 'root'],
  ['peers connect', 'here'],
  ['peers disconnect', 'here'],
  ['report', 'here'],
  ['log-level', 'here'],
  ['reload', 'here'],
  ['identity rotate', 'here'],
  ['address', 'here'],
  ['invite', 'invite'],
  ['invite cancel', 'cancelInvite'],
  ['policy set', 'setPolicy'],
  ['policy edit', 'setPolicy'],
  ['leave', 'here'],
  ['join', 'here'],
  ['revoke', 'revoke'],
  ['member rename', 'changeMember'],
  ['member role', 'changeMember'],
  ['member groups', 'changeMember'],
  ['member end', 'endMember'],
  ['registry retire', 'retireRegistry'],
  ['operator add', 'addOperator'],
  ['operator remove', 'removeOperator'],
  ['operator key', 'here'],
  ['operator approve', 'approveOrder'],
  ['operator withdraw', 'withdrawOrder'],
  // In the name of this node, with its own key.
  ['document publish', 'here'],
  ['document retire', 'retireDocument'],
  ['document allow-publisher', 'allowPublisher'],
  ['document remove-publisher', 'removePublisher'],
  ['store add', 'here'],
  ['store sync', 'here'],
  ['store remove', 'here'],
  ['store pin', 'here'],
  ['service add', 'here'],
  ['service remove', 'here'],
  ['maintenance on', 'here'],
  ['maintenance off', 'here'],
  ['expose', 'here'],
  ['dns set', 'here'],
  ['config migrate', 'here']
])

/** Verbs of commands that make or show something, or give back what was taken: whatever else a command is called takes something away. */
const harmless: ReadonlySet<string> = new Set([
  'drill',
  'init',
  'join',
  'invite',
  'approve',
  'backup',
  // What was published before stays.
  'publish',
  'witness-lines',
  // It shares a folder, brings one, or keeps it.
  'store add',
  'store sync',
  'store pin',
  'service add',
  // Each is taken back by the other.
  'maintenance on',
  'maintenance off',
  'resume',
  'clock',
  'void',
  'connect',
  // The same command exposes again what it takes back.
  'expose',
  // The connector dials again.
  'disconnect',
  'report',
  'log-level',
  'reload',
  'address',
  // It encrypts the file in place, and asks for the passphrase twice.
  'key',
  // The old file is kept beside it.
  'migrate'
])

/** Options by which a command that nobody signs says before what it would do; one that an operator signs has `--yes` for something else. */
const says = ['--plan', '--yes', '--confirm']
/** It shows what changes for whom, and asks. */
const shows = ['policy edit']

/** Calls that an operator signs and no command of their own makes. */
const asked: readonly RouteName[] = ['waitingOrders']

const known = new Map((await commandTree()).filter(({ acts }) => acts).map((one) => [one.words.join(' '), one]))

const optionsOf = ({ command }: KnownCommand): (string | undefined)[] => command.options.map(({ long }) => long)

test('every command that changes something is in this table, and no other', () => {
  const found = [...known.keys()].filter((words) => conductOf(words) === 'changes')
  expect([...changes.keys()].toSorted()).toEqual(found.toSorted())
})

test('every call that an operator signs is made by a command of this table', () => {
  const signed = Object.entries(routes).flatMap(([name, { needs }]) => (needs === 'operator' ? [name] : []))
  const made = new Set<string>(changes.values())
  expect(signed.filter((name) => !made.has(name) && !asked.some((each) => each === name))).toEqual([])
})

const commandOf = (words: string): KnownCommand => {
  const one = known.get(words)
  if (one === undefined) throw new Error(`there is no command ${words}`)
  return one
}

const changing = [...changes.keys()]
const isHarmless = (words: string): boolean => harmless.has(words) || harmless.has(words.split(' ').at(-1) ?? '')
const takingAway = changing.filter((words) => !isHarmless(words))
const calls = [...changes].flatMap(([words, by]) => (by === 'here' || by === 'root' ? [] : [{ words, by }]))

test.each(changing)('%s has --json', (words) => {
  expect(optionsOf(commandOf(words))).toContain('--json')
})

test.each(takingAway)('%s takes something away, and says before what it would do', (words) => {
  const isCall = calls.some((each) => each.words === words) && !shows.includes(words)
  const options = optionsOf(commandOf(words))
  expect(isCall ? options.includes('--plan') : says.some((each) => options.includes(each))).toBe(true)
})

test.each(calls)('$words is refused where it may not be made, or signed with --as', ({ words, by }) => {
  expect(optionsOf(commandOf(words))).toContain('--as')
  expect(routes[by]).toMatchObject({ needs: 'operator', writes: true })
})

const planned = calls.filter(({ by }) => 'plan' in routes[by].input.shape)

test.each(planned)('$words has --plan, as its call has', ({ words }) => {
  expect(optionsOf(commandOf(words))).toContain('--plan')
})

test('each verb that is called harmless is that of a command', () => {
  const verbs = new Set(changing.flatMap((words) => [words, words.split(' ').at(-1)]))
  expect([...harmless].filter((verb) => !verbs.has(verb))).toEqual([])
})
