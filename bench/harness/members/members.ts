import { createHash } from 'node:crypto'
import { SigningKey } from '../../../src/identity/keys.ts'
import type { Role } from '../../../src/identity/role.ts'
import { type NodeRecord, sealRecord } from '../../../src/registry/objects/record.ts'
import type { Service } from '../../../src/registry/objects/service.ts'

/** Number 0 is a secondary: what it sends is what a registry sends. The others serve nobody, as external nodes do. */
export const secondary = 0

/** The same key for the same number in every process. */
export const memberKey = (number: number): SigningKey =>
  SigningKey.fromSeed(createHash('sha256').update(`benchmark member ${number}`).digest())

export const memberName = (number: number): string => `m${number}`
export const memberRole = (number: number): Role => (number === secondary ? 'secondary' : 'external')

let lastSeq = Date.now()

/** Higher than all before it in this process, and than those of earlier ones. */
export const nextSeq = (): number => ++lastSeq

/** As a node writes it: two addresses, a role, and a service. */
/** A service that nothing answers behind. */
export const serviceNamed = (name: string): Service => ({ name, port: 80, protocol: 'tcp', tags: [], state: 'unknown' })

export const memberRecord = (networkId: Uint8Array, key: SigningKey, seq: number, change: Partial<NodeRecord> = {}) =>
  sealRecord(
    {
      networkId,
      publicKey: key.publicKey,
      seq,
      addrs: ['/ip6/2001:db8::1/tcp/9000', '/ip6/fd00::1/tcp/9000'],
      roles: ['integrated'],
      services: [serviceNamed('bench')],
      tags: [],
      software: 'trustnet/bench',
      reach: 'direct',
      left: false,
      issuedMs: Date.now(),
      ...change
    },
    key
  ).bytes
