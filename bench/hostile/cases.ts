import { whyNoNamespaces } from '../../test/hosts/host-network.ts'
import type { Flags } from '../harness/network.ts'
import { type AttackName, attacks } from './attacks/index.ts'
import { type Ground, Loopback, sites } from './ground.ts'

export interface Case {
  readonly name: string
  /** How long it lasts at least; 0: the short form is done without it. */
  readonly ms: number
  readonly shortMs: number
  /** Nodes that join meanwhile. */
  readonly joins: number
  readonly shortJoins: number
  /** Flags of the root that lift the limits which it is there to show. */
  readonly lifted: Flags
  readonly ground: () => Ground
  readonly isOnLoopback: boolean
  /** Its culprit exceeds a limit that is counted, and goes on until it is named. Others are refused one by one, or starve by themselves. */
  readonly isNamed: boolean
  /** What it needs and this machine has not. */
  readonly whyNot: () => string | undefined
}

const usual = { ms: 10_000, shortMs: 3_000, joins: 5, shortJoins: 2, lifted: {}, isNamed: true }

/** Dialling is what takes its time in a reflection: pauses between two tries grow to a minute. A frame has 3 s to be whole. */
const special: Partial<Record<AttackName, Partial<Case>>> = {
  reflection: { ms: 60_000, shortMs: 8_000 },
  'truncated frames': { shortMs: 4_000 },
  'slow readers': { isNamed: false },
  // Its cost in memory is above the bound (docs/security.md).
  'several members together': { shortMs: 0 }
}

const names = Object.keys(attacks).filter((name): name is AttackName => Object.hasOwn(attacks, name))

const onLoopback = { ground: () => new Loopback(), isOnLoopback: true, whyNot: () => undefined }

/** Honest work alone, and beside each attack. */
export const cases: readonly Case[] = [
  { ...usual, ...onLoopback, name: 'none', isNamed: false },
  { ...usual, name: 'silent connections', joins: 20, ground: sites, isOnLoopback: false, whyNot: whyNoNamespaces },
  ...names.map((name) => ({ ...usual, ...onLoopback, name, ...special[name] }))
]
