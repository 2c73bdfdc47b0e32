import { decodeAddr, encodeAddr } from '../../address/multiaddr.ts'
import { nameOfNumber } from '../../identity/checked-bytes.ts'
import { isPublicKey } from '../../identity/ed25519.ts'
import { statuses } from '../engine/status.ts'
import { type DialFailure, dialFailures, outcomes } from './descriptor.ts'
import { type ProbedMember as MemberMessage, ProbeAnswer, type ProbeWord as WordMessage } from './pb/probe.ts'

/** Fate of one dial. */
export interface DialResult {
  /** undefined: the peer was reached, and proved its key. */
  readonly failure: DialFailure | undefined
  readonly tookMs: number
}

/** Word of one member about an address of another one, which is as good as the member. */
export interface ProbeWord {
  readonly prober: Uint8Array
  /** undefined: it says that it reached the member there. */
  readonly failure: DialFailure | undefined
  /** Since it said so. */
  readonly agoMs: number
  /** Time that the dial took. */
  readonly tookMs: number
}

/** Words about the addresses of one member. */
export interface ProbedMember {
  readonly publicKey: Uint8Array
  readonly addrs: readonly { readonly addr: string; readonly words: readonly ProbeWord[] }[]
}

export interface Told {
  readonly members: readonly ProbedMember[]
  /** Members that had no room in the answer. */
  readonly left: number
}

/** A record has no more. */
const mostAddrs = 8
/** More than a registry asks for one address. */
const mostWords = 16
const headBytes = 64
const addrBytes = 40
const wordBytes = 64

const outcomeOf = (failure: DialFailure | undefined) => ({
  outcome: failure === undefined ? outcomes.reached : outcomes.failed,
  failure: failure === undefined ? 0 : dialFailures[failure]
})

const failureOf = ({ outcome, failure }: { outcome: number; failure: number }): DialFailure | undefined =>
  outcome === outcomes.reached ? undefined : (nameOfNumber(dialFailures, failure) ?? 'other')

export const encodeResult = ({ failure, tookMs }: DialResult): Uint8Array =>
  ProbeAnswer.encode({ status: statuses.OK, ...outcomeOf(failure), tookMs, retryAfterMs: 0 })

export const resultOf = (answer: ProbeAnswer): DialResult => ({ failure: failureOf(answer), tookMs: answer.tookMs })

/** As many members as fit. */
export function encodeTold(told: Iterable<ProbedMember>, mostBytes: number): Uint8Array {
  const members: MemberMessage[] = []
  let bytes = headBytes
  let left = 0
  for (const { publicKey, addrs } of told) {
    bytes += headBytes + addrs.reduce((sum, { words }) => sum + addrBytes + words.length * wordBytes, 0)
    if (bytes > mostBytes) left++
    else
      members.push({
        publicKey,
        addrs: addrs.map(({ addr, words }) => ({ addr: encodeAddr(addr), words: words.map(toWord) }))
      })
  }
  // An answer in which nothing is set would be an empty frame.
  return ProbeAnswer.encode({ status: statuses.OK, outcome: outcomes.reached, members, left, retryAfterMs: 0 })
}

const toWord = ({ prober, failure, agoMs, tookMs }: ProbeWord): WordMessage => ({
  prober,
  ...outcomeOf(failure),
  agoMs: Math.max(0, Math.round(agoMs)),
  tookMs
})

/** Words of members as a registry tells them; anything else is left out. */
export const toldOf = ({ members, left }: ProbeAnswer): Told => ({
  members: members.filter(({ publicKey }) => isPublicKey(publicKey)).map(memberOf),
  left
})

const memberOf = ({ publicKey, addrs }: MemberMessage): ProbedMember => ({
  publicKey,
  addrs: addrs.slice(0, mostAddrs).flatMap(({ addr, words }) => {
    const text = textOf(addr)
    return text === undefined ? [] : [{ addr: text, words: words.slice(0, mostWords).map(fromWord) }]
  })
})

const fromWord = (word: WordMessage): ProbeWord => ({
  prober: word.prober,
  failure: failureOf(word),
  agoMs: word.agoMs,
  tookMs: word.tookMs
})

const textOf = (addr: Uint8Array): string | undefined => {
  try {
    return decodeAddr(addr)
  } catch {
    return undefined
  }
}
