import { whyNoNamespaces } from '../../test/hosts/host-network.ts'
import { type AttackName, attacks } from './attacks/index.ts'
import { type Ground, loopback, sites } from './ground.ts'

export interface Case {
  readonly name: string
  /** How long it lasts at least. */
  readonly ms: number
  /** Nodes that join meanwhile. */
  readonly joins: number
  readonly ground: () => Ground
  readonly isOnLoopback: boolean
  /** What it needs and this machine has not. */
  readonly whyNot: () => string | undefined
}

const usualMs = 10_000
/** Dialling is what takes its time here: pauses between two tries grow to a minute. */
const lastsMs: Partial<Record<AttackName, number>> = { reflection: 60_000 }

const names = Object.keys(attacks).filter((name): name is AttackName => Object.hasOwn(attacks, name))

const usualJoins = 5
const never = (): undefined => undefined

/** Honest work alone, and beside each attack. */
export const cases: readonly Case[] = [
  { name: 'none', ms: usualMs, joins: usualJoins, ground: () => loopback('none'), isOnLoopback: true, whyNot: never },
  { name: 'silent connections', ms: usualMs, joins: 20, ground: sites, isOnLoopback: false, whyNot: whyNoNamespaces },
  ...names.map((name) => ({
    name,
    ms: lastsMs[name] ?? usualMs,
    joins: usualJoins,
    ground: () => loopback(name),
    isOnLoopback: true,
    whyNot: never
  }))
]
