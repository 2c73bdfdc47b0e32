import type { Shape, Shapes } from '../objects/encoding/canonical.ts'
import { MaxLengthError } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import { inside, messageType } from '../../runtime/message-type.ts'

export interface Envelope {
  publicKey: Uint8Array
  payloadType: Uint8Array
  payload: Uint8Array
  signature: Uint8Array
}

export const Envelope = messageType<Envelope>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.payloadType != null && obj.payloadType.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.payloadType)
  }

  if ((obj.payload != null && obj.payload.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.payload)
  }

  if ((obj.signature != null && obj.signature.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.signature)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  payloadType: uint8ArrayAlloc(0),
  payload: uint8ArrayAlloc(0),
  signature: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.payloadType = reader.bytes()
      break
    }
    case 3: {
      obj.payload = reader.bytes()
      break
    }
    case 5: {
      obj.signature = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Policy {
  admission: number
  membershipMs: number
  documentBytes: number
  openGrants: number
  grantUses: number
  grantMs: number
  nameHoldMs: number
  returnGraceMs: number
  witnesses: number
  criticalKinds: number[]
  rules: PolicyRule[]
  tests: PolicyTest[]
  publishing: number
  relaying: number
  twoOperators: number[]
  witnessKeys: Uint8Array[]
}

export const Policy = messageType<Policy>((obj, w) => {
  if ((obj.admission != null && obj.admission !== 0)) {
    w.uint32(8)
    w.uint32(obj.admission)
  }

  if ((obj.membershipMs != null && obj.membershipMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.membershipMs)
  }

  if ((obj.documentBytes != null && obj.documentBytes !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.documentBytes)
  }

  if ((obj.openGrants != null && obj.openGrants !== 0)) {
    w.uint32(32)
    w.uint32(obj.openGrants)
  }

  if ((obj.grantUses != null && obj.grantUses !== 0)) {
    w.uint32(40)
    w.uint32(obj.grantUses)
  }

  if ((obj.grantMs != null && obj.grantMs !== 0)) {
    w.uint32(48)
    w.uint64Number(obj.grantMs)
  }

  if ((obj.nameHoldMs != null && obj.nameHoldMs !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.nameHoldMs)
  }

  if ((obj.returnGraceMs != null && obj.returnGraceMs !== 0)) {
    w.uint32(64)
    w.uint64Number(obj.returnGraceMs)
  }

  if ((obj.witnesses != null && obj.witnesses !== 0)) {
    w.uint32(72)
    w.uint32(obj.witnesses)
  }

  if (obj.criticalKinds != null && obj.criticalKinds.length > 0) {
    for (const value of obj.criticalKinds) {
      w.uint32(80)
      w.uint32(value)
    }
  }

  if (obj.rules != null && obj.rules.length > 0) {
    for (const value of obj.rules) {
      w.uint32(90)
      PolicyRule.codec().encode(value, w)
    }
  }

  if (obj.tests != null && obj.tests.length > 0) {
    for (const value of obj.tests) {
      w.uint32(98)
      PolicyTest.codec().encode(value, w)
    }
  }

  if ((obj.publishing != null && obj.publishing !== 0)) {
    w.uint32(104)
    w.uint32(obj.publishing)
  }

  if ((obj.relaying != null && obj.relaying !== 0)) {
    w.uint32(112)
    w.uint32(obj.relaying)
  }

  if (obj.twoOperators != null && obj.twoOperators.length > 0) {
    for (const value of obj.twoOperators) {
      w.uint32(120)
      w.uint32(value)
    }
  }

  if (obj.witnessKeys != null && obj.witnessKeys.length > 0) {
    for (const value of obj.witnessKeys) {
      w.uint32(130)
      w.bytes(value)
    }
  }
}, () => ({
  admission: 0,
  membershipMs: 0,
  documentBytes: 0,
  openGrants: 0,
  grantUses: 0,
  grantMs: 0,
  nameHoldMs: 0,
  returnGraceMs: 0,
  witnesses: 0,
  criticalKinds: [],
  rules: [],
  tests: [],
  publishing: 0,
  relaying: 0,
  twoOperators: [],
  witnessKeys: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.admission = reader.uint32()
      break
    }
    case 2: {
      obj.membershipMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.documentBytes = reader.uint64Number()
      break
    }
    case 4: {
      obj.openGrants = reader.uint32()
      break
    }
    case 5: {
      obj.grantUses = reader.uint32()
      break
    }
    case 6: {
      obj.grantMs = reader.uint64Number()
      break
    }
    case 7: {
      obj.nameHoldMs = reader.uint64Number()
      break
    }
    case 8: {
      obj.returnGraceMs = reader.uint64Number()
      break
    }
    case 9: {
      obj.witnesses = reader.uint32()
      break
    }
    case 10: {
      if (opts.limits?.criticalKinds != null && obj.criticalKinds.length === opts.limits.criticalKinds) {
        throw new MaxLengthError('Decode error - repeated field "criticalKinds" had too many elements')
      }

      obj.criticalKinds.push(reader.uint32())
      break
    }
    case 11: {
      if (opts.limits?.rules != null && obj.rules.length === opts.limits.rules) {
        throw new MaxLengthError('Decode error - repeated field "rules" had too many elements')
      }

      obj.rules.push(PolicyRule.codec().decode(reader, reader.uint32(), inside(opts.limits?.rules$)))
      break
    }
    case 12: {
      if (opts.limits?.tests != null && obj.tests.length === opts.limits.tests) {
        throw new MaxLengthError('Decode error - repeated field "tests" had too many elements')
      }

      obj.tests.push(PolicyTest.codec().decode(reader, reader.uint32(), inside(opts.limits?.tests$)))
      break
    }
    case 13: {
      obj.publishing = reader.uint32()
      break
    }
    case 14: {
      obj.relaying = reader.uint32()
      break
    }
    case 15: {
      if (opts.limits?.twoOperators != null && obj.twoOperators.length === opts.limits.twoOperators) {
        throw new MaxLengthError('Decode error - repeated field "twoOperators" had too many elements')
      }

      obj.twoOperators.push(reader.uint32())
      break
    }
    case 16: {
      if (opts.limits?.witnessKeys != null && obj.witnessKeys.length === opts.limits.witnessKeys) {
        throw new MaxLengthError('Decode error - repeated field "witnessKeys" had too many elements')
      }

      obj.witnessKeys.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface PolicyAdditions {
  witnessGraceMs: number
}

export const PolicyAdditions = messageType<PolicyAdditions>((obj, w) => {
  if ((obj.witnessGraceMs != null && obj.witnessGraceMs !== 0)) {
    w.uint32(136)
    w.uint64Number(obj.witnessGraceMs)
  }
}, () => ({
  witnessGraceMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 17: {
      obj.witnessGraceMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface PolicyRule {
  from: string
  to: string
  service: string
}

export const PolicyRule = messageType<PolicyRule>((obj, w) => {
  if ((obj.from != null && obj.from !== '')) {
    w.uint32(10)
    w.string(obj.from)
  }

  if ((obj.to != null && obj.to !== '')) {
    w.uint32(18)
    w.string(obj.to)
  }

  if ((obj.service != null && obj.service !== '')) {
    w.uint32(26)
    w.string(obj.service)
  }
}, () => ({
  from: '',
  to: '',
  service: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.from = reader.string()
      break
    }
    case 2: {
      obj.to = reader.string()
      break
    }
    case 3: {
      obj.service = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface PolicyTest {
  from: string
  to: string
  service: string
  allowed: boolean
}

export const PolicyTest = messageType<PolicyTest>((obj, w) => {
  if ((obj.from != null && obj.from !== '')) {
    w.uint32(10)
    w.string(obj.from)
  }

  if ((obj.to != null && obj.to !== '')) {
    w.uint32(18)
    w.string(obj.to)
  }

  if ((obj.service != null && obj.service !== '')) {
    w.uint32(26)
    w.string(obj.service)
  }

  if ((obj.allowed != null && obj.allowed !== false)) {
    w.uint32(32)
    w.bool(obj.allowed)
  }
}, () => ({
  from: '',
  to: '',
  service: '',
  allowed: false
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.from = reader.string()
      break
    }
    case 2: {
      obj.to = reader.string()
      break
    }
    case 3: {
      obj.service = reader.string()
      break
    }
    case 4: {
      obj.allowed = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Genesis {
  version: number
  domain: string
  name: string
  authorityKey: Uint8Array
  nextAuthorityDigest: Uint8Array
  logKey: Uint8Array
  createdMs: number
  policy?: Policy
}

export const Genesis = messageType<Genesis>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.domain != null && obj.domain !== '')) {
    w.uint32(18)
    w.string(obj.domain)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(26)
    w.string(obj.name)
  }

  if ((obj.authorityKey != null && obj.authorityKey.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.authorityKey)
  }

  if ((obj.nextAuthorityDigest != null && obj.nextAuthorityDigest.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.nextAuthorityDigest)
  }

  if ((obj.logKey != null && obj.logKey.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.logKey)
  }

  if ((obj.createdMs != null && obj.createdMs !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.createdMs)
  }

  if (obj.policy != null) {
    w.uint32(66)
    Policy.codec().encode(obj.policy, w)
  }
}, () => ({
  version: 0,
  domain: '',
  name: '',
  authorityKey: uint8ArrayAlloc(0),
  nextAuthorityDigest: uint8ArrayAlloc(0),
  logKey: uint8ArrayAlloc(0),
  createdMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.domain = reader.string()
      break
    }
    case 3: {
      obj.name = reader.string()
      break
    }
    case 4: {
      obj.authorityKey = reader.bytes()
      break
    }
    case 5: {
      obj.nextAuthorityDigest = reader.bytes()
      break
    }
    case 6: {
      obj.logKey = reader.bytes()
      break
    }
    case 7: {
      obj.createdMs = reader.uint64Number()
      break
    }
    case 8: {
      obj.policy = Policy.codec().decode(reader, reader.uint32(), inside(opts.limits?.policy))
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface LogEntry {
  version: number
  networkId: Uint8Array
  n: number
  prevHash: Uint8Array
  epoch: number
  timeMs: number
  kind: number
  body: Uint8Array
  orders: Uint8Array[]
}

export const LogEntry = messageType<LogEntry>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.n != null && obj.n !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.n)
  }

  if ((obj.prevHash != null && obj.prevHash.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.prevHash)
  }

  if ((obj.epoch != null && obj.epoch !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.epoch)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(48)
    w.uint64Number(obj.timeMs)
  }

  if ((obj.kind != null && obj.kind !== 0)) {
    w.uint32(56)
    w.uint32(obj.kind)
  }

  if ((obj.body != null && obj.body.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.body)
  }

  if (obj.orders != null && obj.orders.length > 0) {
    for (const value of obj.orders) {
      w.uint32(74)
      w.bytes(value)
    }
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  n: 0,
  prevHash: uint8ArrayAlloc(0),
  epoch: 0,
  timeMs: 0,
  kind: 0,
  body: uint8ArrayAlloc(0),
  orders: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.n = reader.uint64Number()
      break
    }
    case 4: {
      obj.prevHash = reader.bytes()
      break
    }
    case 5: {
      obj.epoch = reader.uint64Number()
      break
    }
    case 6: {
      obj.timeMs = reader.uint64Number()
      break
    }
    case 7: {
      obj.kind = reader.uint32()
      break
    }
    case 8: {
      obj.body = reader.bytes()
      break
    }
    case 9: {
      if (opts.limits?.orders != null && obj.orders.length === opts.limits.orders) {
        throw new MaxLengthError('Decode error - repeated field "orders" had too many elements')
      }

      obj.orders.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Admit {
  publicKey: Uint8Array
  name: string
  role: number
  notAfterMs: number
  via: number
  grantId: Uint8Array
  join: Uint8Array
  receipt: Uint8Array
  groups: string[]
  ephemeralMs: number
}

export const Admit = messageType<Admit>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(18)
    w.string(obj.name)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(24)
    w.uint32(obj.role)
  }

  if ((obj.notAfterMs != null && obj.notAfterMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.notAfterMs)
  }

  if ((obj.via != null && obj.via !== 0)) {
    w.uint32(40)
    w.uint32(obj.via)
  }

  if ((obj.grantId != null && obj.grantId.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.grantId)
  }

  if ((obj.join != null && obj.join.byteLength > 0)) {
    w.uint32(58)
    w.bytes(obj.join)
  }

  if ((obj.receipt != null && obj.receipt.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.receipt)
  }

  if (obj.groups != null && obj.groups.length > 0) {
    for (const value of obj.groups) {
      w.uint32(74)
      w.string(value)
    }
  }

  if ((obj.ephemeralMs != null && obj.ephemeralMs !== 0)) {
    w.uint32(80)
    w.uint64Number(obj.ephemeralMs)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  name: '',
  role: 0,
  notAfterMs: 0,
  via: 0,
  grantId: uint8ArrayAlloc(0),
  join: uint8ArrayAlloc(0),
  receipt: uint8ArrayAlloc(0),
  groups: [],
  ephemeralMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.name = reader.string()
      break
    }
    case 3: {
      obj.role = reader.uint32()
      break
    }
    case 4: {
      obj.notAfterMs = reader.uint64Number()
      break
    }
    case 5: {
      obj.via = reader.uint32()
      break
    }
    case 6: {
      obj.grantId = reader.bytes()
      break
    }
    case 7: {
      obj.join = reader.bytes()
      break
    }
    case 8: {
      obj.receipt = reader.bytes()
      break
    }
    case 9: {
      if (opts.limits?.groups != null && obj.groups.length === opts.limits.groups) {
        throw new MaxLengthError('Decode error - repeated field "groups" had too many elements')
      }

      obj.groups.push(reader.string())
      break
    }
    case 10: {
      obj.ephemeralMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Grant {
  id: Uint8Array
  inviteKey: Uint8Array
  role: number
  name: string
  groups: string[]
  replaces: string
  uses: number
  notAfterMs: number
  note: string
  ephemeralMs: number
}

export const Grant = messageType<Grant>((obj, w) => {
  if ((obj.id != null && obj.id.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.id)
  }

  if ((obj.inviteKey != null && obj.inviteKey.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.inviteKey)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(24)
    w.uint32(obj.role)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(34)
    w.string(obj.name)
  }

  if (obj.groups != null && obj.groups.length > 0) {
    for (const value of obj.groups) {
      w.uint32(42)
      w.string(value)
    }
  }

  if ((obj.replaces != null && obj.replaces !== '')) {
    w.uint32(50)
    w.string(obj.replaces)
  }

  if ((obj.uses != null && obj.uses !== 0)) {
    w.uint32(56)
    w.uint32(obj.uses)
  }

  if ((obj.notAfterMs != null && obj.notAfterMs !== 0)) {
    w.uint32(64)
    w.uint64Number(obj.notAfterMs)
  }

  if ((obj.note != null && obj.note !== '')) {
    w.uint32(74)
    w.string(obj.note)
  }

  if ((obj.ephemeralMs != null && obj.ephemeralMs !== 0)) {
    w.uint32(80)
    w.uint64Number(obj.ephemeralMs)
  }
}, () => ({
  id: uint8ArrayAlloc(0),
  inviteKey: uint8ArrayAlloc(0),
  role: 0,
  name: '',
  groups: [],
  replaces: '',
  uses: 0,
  notAfterMs: 0,
  note: '',
  ephemeralMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.bytes()
      break
    }
    case 2: {
      obj.inviteKey = reader.bytes()
      break
    }
    case 3: {
      obj.role = reader.uint32()
      break
    }
    case 4: {
      obj.name = reader.string()
      break
    }
    case 5: {
      if (opts.limits?.groups != null && obj.groups.length === opts.limits.groups) {
        throw new MaxLengthError('Decode error - repeated field "groups" had too many elements')
      }

      obj.groups.push(reader.string())
      break
    }
    case 6: {
      obj.replaces = reader.string()
      break
    }
    case 7: {
      obj.uses = reader.uint32()
      break
    }
    case 8: {
      obj.notAfterMs = reader.uint64Number()
      break
    }
    case 9: {
      obj.note = reader.string()
      break
    }
    case 10: {
      obj.ephemeralMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface GrantEnd {
  id: Uint8Array
  reason: string
}

export const GrantEnd = messageType<GrantEnd>((obj, w) => {
  if ((obj.id != null && obj.id.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.id)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(18)
    w.string(obj.reason)
  }
}, () => ({
  id: uint8ArrayAlloc(0),
  reason: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.bytes()
      break
    }
    case 2: {
      obj.reason = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Renew {
  publicKey: Uint8Array
  notAfterMs: number
  request: Uint8Array
}

export const Renew = messageType<Renew>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.notAfterMs != null && obj.notAfterMs !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.notAfterMs)
  }

  if ((obj.request != null && obj.request.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.request)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  notAfterMs: 0,
  request: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.notAfterMs = reader.uint64Number()
      break
    }
    case 3: {
      obj.request = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Revoke {
  publicKey: Uint8Array
  reason: string
  name: string
}

export const Revoke = messageType<Revoke>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(18)
    w.string(obj.reason)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(26)
    w.string(obj.name)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  reason: '',
  name: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.reason = reader.string()
      break
    }
    case 3: {
      obj.name = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Change {
  publicKey: Uint8Array
  name: string
  role: number
  groups: string[]
}

export const Change = messageType<Change>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(18)
    w.string(obj.name)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(24)
    w.uint32(obj.role)
  }

  if (obj.groups != null && obj.groups.length > 0) {
    for (const value of obj.groups) {
      w.uint32(34)
      w.string(value)
    }
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  name: '',
  role: 0,
  groups: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.name = reader.string()
      break
    }
    case 3: {
      obj.role = reader.uint32()
      break
    }
    case 4: {
      if (opts.limits?.groups != null && obj.groups.length === opts.limits.groups) {
        throw new MaxLengthError('Decode error - repeated field "groups" had too many elements')
      }

      obj.groups.push(reader.string())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface End {
  publicKey: Uint8Array
  reason: string
  request: Uint8Array
}

export const End = messageType<End>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(18)
    w.string(obj.reason)
  }

  if ((obj.request != null && obj.request.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.request)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  reason: '',
  request: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.reason = reader.string()
      break
    }
    case 3: {
      obj.request = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Rotate {
  oldKey: Uint8Array
  newKey: Uint8Array
  proofOld: Uint8Array
  proofNew: Uint8Array
}

export const Rotate = messageType<Rotate>((obj, w) => {
  if ((obj.oldKey != null && obj.oldKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.oldKey)
  }

  if ((obj.newKey != null && obj.newKey.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.newKey)
  }

  if ((obj.proofOld != null && obj.proofOld.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.proofOld)
  }

  if ((obj.proofNew != null && obj.proofNew.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.proofNew)
  }
}, () => ({
  oldKey: uint8ArrayAlloc(0),
  newKey: uint8ArrayAlloc(0),
  proofOld: uint8ArrayAlloc(0),
  proofNew: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.oldKey = reader.bytes()
      break
    }
    case 2: {
      obj.newKey = reader.bytes()
      break
    }
    case 3: {
      obj.proofOld = reader.bytes()
      break
    }
    case 4: {
      obj.proofNew = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RegistrySet {
  publicKey: Uint8Array
  role: number
  removed: boolean
}

export const RegistrySet = messageType<RegistrySet>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(16)
    w.uint32(obj.role)
  }

  if ((obj.removed != null && obj.removed !== false)) {
    w.uint32(24)
    w.bool(obj.removed)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  role: 0,
  removed: false
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.role = reader.uint32()
      break
    }
    case 3: {
      obj.removed = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Delegate {
  logKey: Uint8Array
}

export const Delegate = messageType<Delegate>((obj, w) => {
  if ((obj.logKey != null && obj.logKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.logKey)
  }
}, () => ({
  logKey: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.logKey = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Authority {
  authorityKey: Uint8Array
  nextAuthorityDigest: Uint8Array
}

export const Authority = messageType<Authority>((obj, w) => {
  if ((obj.authorityKey != null && obj.authorityKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.authorityKey)
  }

  if ((obj.nextAuthorityDigest != null && obj.nextAuthorityDigest.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.nextAuthorityDigest)
  }
}, () => ({
  authorityKey: uint8ArrayAlloc(0),
  nextAuthorityDigest: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.authorityKey = reader.bytes()
      break
    }
    case 2: {
      obj.nextAuthorityDigest = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Publisher {
  publicKey: Uint8Array
  removed: boolean
}

export const Publisher = messageType<Publisher>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.removed != null && obj.removed !== false)) {
    w.uint32(16)
    w.bool(obj.removed)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  removed: false
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.removed = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Publish {
  id: string
  documentVersion: number
  mediaType: string
  digest: Uint8Array
  sizeBytes: number
  publisherKey: Uint8Array
}

export const Publish = messageType<Publish>((obj, w) => {
  if ((obj.id != null && obj.id !== '')) {
    w.uint32(10)
    w.string(obj.id)
  }

  if ((obj.documentVersion != null && obj.documentVersion !== 0)) {
    w.uint32(16)
    w.uint64Number(obj.documentVersion)
  }

  if ((obj.mediaType != null && obj.mediaType !== '')) {
    w.uint32(26)
    w.string(obj.mediaType)
  }

  if ((obj.digest != null && obj.digest.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.digest)
  }

  if ((obj.sizeBytes != null && obj.sizeBytes !== 0)) {
    w.uint32(40)
    w.uint64Number(obj.sizeBytes)
  }

  if ((obj.publisherKey != null && obj.publisherKey.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.publisherKey)
  }
}, () => ({
  id: '',
  documentVersion: 0,
  mediaType: '',
  digest: uint8ArrayAlloc(0),
  sizeBytes: 0,
  publisherKey: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.string()
      break
    }
    case 2: {
      obj.documentVersion = reader.uint64Number()
      break
    }
    case 3: {
      obj.mediaType = reader.string()
      break
    }
    case 4: {
      obj.digest = reader.bytes()
      break
    }
    case 5: {
      obj.sizeBytes = reader.uint64Number()
      break
    }
    case 6: {
      obj.publisherKey = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Retire {
  id: string
  reason: string
}

export const Retire = messageType<Retire>((obj, w) => {
  if ((obj.id != null && obj.id !== '')) {
    w.uint32(10)
    w.string(obj.id)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(18)
    w.string(obj.reason)
  }
}, () => ({
  id: '',
  reason: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.id = reader.string()
      break
    }
    case 2: {
      obj.reason = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Operator {
  publicKey: Uint8Array
  name: string
  removed: boolean
}

export const Operator = messageType<Operator>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(18)
    w.string(obj.name)
  }

  if ((obj.removed != null && obj.removed !== false)) {
    w.uint32(24)
    w.bool(obj.removed)
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  name: '',
  removed: false
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      obj.name = reader.string()
      break
    }
    case 3: {
      obj.removed = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Order {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  kind: number
  digest: Uint8Array
  epoch: number
  seenN: number
  timeMs: number
  nonce: Uint8Array
}

export const Order = messageType<Order>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.kind != null && obj.kind !== 0)) {
    w.uint32(32)
    w.uint32(obj.kind)
  }

  if ((obj.digest != null && obj.digest.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.digest)
  }

  if ((obj.epoch != null && obj.epoch !== 0)) {
    w.uint32(48)
    w.uint64Number(obj.epoch)
  }

  if ((obj.seenN != null && obj.seenN !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.seenN)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(64)
    w.uint64Number(obj.timeMs)
  }

  if ((obj.nonce != null && obj.nonce.byteLength > 0)) {
    w.uint32(74)
    w.bytes(obj.nonce)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  kind: 0,
  digest: uint8ArrayAlloc(0),
  epoch: 0,
  seenN: 0,
  timeMs: 0,
  nonce: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.kind = reader.uint32()
      break
    }
    case 5: {
      obj.digest = reader.bytes()
      break
    }
    case 6: {
      obj.epoch = reader.uint64Number()
      break
    }
    case 7: {
      obj.seenN = reader.uint64Number()
      break
    }
    case 8: {
      obj.timeMs = reader.uint64Number()
      break
    }
    case 9: {
      obj.nonce = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Checkpoint {
  version: number
  networkId: Uint8Array
  epoch: number
  n: number
  headHash: Uint8Array
  stateRoot: Uint8Array
  rows: number
  bytes: number
  timeMs: number
}

export const Checkpoint = messageType<Checkpoint>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.epoch != null && obj.epoch !== 0)) {
    w.uint32(24)
    w.uint64Number(obj.epoch)
  }

  if ((obj.n != null && obj.n !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.n)
  }

  if ((obj.headHash != null && obj.headHash.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.headHash)
  }

  if ((obj.stateRoot != null && obj.stateRoot.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.stateRoot)
  }

  if ((obj.rows != null && obj.rows !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.rows)
  }

  if ((obj.bytes != null && obj.bytes !== 0)) {
    w.uint32(64)
    w.uint64Number(obj.bytes)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(72)
    w.uint64Number(obj.timeMs)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  epoch: 0,
  n: 0,
  headHash: uint8ArrayAlloc(0),
  stateRoot: uint8ArrayAlloc(0),
  rows: 0,
  bytes: 0,
  timeMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.epoch = reader.uint64Number()
      break
    }
    case 4: {
      obj.n = reader.uint64Number()
      break
    }
    case 5: {
      obj.headHash = reader.bytes()
      break
    }
    case 6: {
      obj.stateRoot = reader.bytes()
      break
    }
    case 7: {
      obj.rows = reader.uint64Number()
      break
    }
    case 8: {
      obj.bytes = reader.uint64Number()
      break
    }
    case 9: {
      obj.timeMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface NodeRecord {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  seq: number
  addrs: Uint8Array[]
  registryKey: Uint8Array
  roles: number[]
  services: Service[]
  tags: string[]
  software: string
  reach: number
  left: boolean
  issuedMs: number
  relayKeys: Uint8Array[]
  maintenance?: Maintenance
}

export const NodeRecord = messageType<NodeRecord>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.seq != null && obj.seq !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.seq)
  }

  if (obj.addrs != null && obj.addrs.length > 0) {
    for (const value of obj.addrs) {
      w.uint32(42)
      w.bytes(value)
    }
  }

  if ((obj.registryKey != null && obj.registryKey.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.registryKey)
  }

  if (obj.roles != null && obj.roles.length > 0) {
    for (const value of obj.roles) {
      w.uint32(56)
      w.uint32(value)
    }
  }

  if (obj.services != null && obj.services.length > 0) {
    for (const value of obj.services) {
      w.uint32(66)
      Service.codec().encode(value, w)
    }
  }

  if (obj.tags != null && obj.tags.length > 0) {
    for (const value of obj.tags) {
      w.uint32(74)
      w.string(value)
    }
  }

  if ((obj.software != null && obj.software !== '')) {
    w.uint32(82)
    w.string(obj.software)
  }

  if ((obj.reach != null && obj.reach !== 0)) {
    w.uint32(88)
    w.uint32(obj.reach)
  }

  if ((obj.left != null && obj.left !== false)) {
    w.uint32(96)
    w.bool(obj.left)
  }

  if ((obj.issuedMs != null && obj.issuedMs !== 0)) {
    w.uint32(104)
    w.uint64Number(obj.issuedMs)
  }

  if (obj.relayKeys != null && obj.relayKeys.length > 0) {
    for (const value of obj.relayKeys) {
      w.uint32(114)
      w.bytes(value)
    }
  }

  if (obj.maintenance != null) {
    w.uint32(122)
    Maintenance.codec().encode(obj.maintenance, w)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  seq: 0,
  addrs: [],
  registryKey: uint8ArrayAlloc(0),
  roles: [],
  services: [],
  tags: [],
  software: '',
  reach: 0,
  left: false,
  issuedMs: 0,
  relayKeys: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.seq = reader.uint64Number()
      break
    }
    case 5: {
      if (opts.limits?.addrs != null && obj.addrs.length === opts.limits.addrs) {
        throw new MaxLengthError('Decode error - repeated field "addrs" had too many elements')
      }

      obj.addrs.push(reader.bytes())
      break
    }
    case 6: {
      obj.registryKey = reader.bytes()
      break
    }
    case 7: {
      if (opts.limits?.roles != null && obj.roles.length === opts.limits.roles) {
        throw new MaxLengthError('Decode error - repeated field "roles" had too many elements')
      }

      obj.roles.push(reader.uint32())
      break
    }
    case 8: {
      if (opts.limits?.services != null && obj.services.length === opts.limits.services) {
        throw new MaxLengthError('Decode error - repeated field "services" had too many elements')
      }

      obj.services.push(Service.codec().decode(reader, reader.uint32(), inside(opts.limits?.services$)))
      break
    }
    case 9: {
      if (opts.limits?.tags != null && obj.tags.length === opts.limits.tags) {
        throw new MaxLengthError('Decode error - repeated field "tags" had too many elements')
      }

      obj.tags.push(reader.string())
      break
    }
    case 10: {
      obj.software = reader.string()
      break
    }
    case 11: {
      obj.reach = reader.uint32()
      break
    }
    case 12: {
      obj.left = reader.bool()
      break
    }
    case 13: {
      obj.issuedMs = reader.uint64Number()
      break
    }
    case 14: {
      if (opts.limits?.relayKeys != null && obj.relayKeys.length === opts.limits.relayKeys) {
        throw new MaxLengthError('Decode error - repeated field "relayKeys" had too many elements')
      }

      obj.relayKeys.push(reader.bytes())
      break
    }
    case 15: {
      obj.maintenance = Maintenance.codec().decode(reader, reader.uint32(), inside(opts.limits?.maintenance))
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Maintenance {
  sinceMs: number
  reason: string
}

export const Maintenance = messageType<Maintenance>((obj, w) => {
  if ((obj.sinceMs != null && obj.sinceMs !== 0)) {
    w.uint32(8)
    w.uint64Number(obj.sinceMs)
  }

  if ((obj.reason != null && obj.reason !== '')) {
    w.uint32(18)
    w.string(obj.reason)
  }
}, () => ({
  sinceMs: 0,
  reason: ''
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.sinceMs = reader.uint64Number()
      break
    }
    case 2: {
      obj.reason = reader.string()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Service {
  name: string
  port: number
  protocol: number
  tags: string[]
  state: number
}

export const Service = messageType<Service>((obj, w) => {
  if ((obj.name != null && obj.name !== '')) {
    w.uint32(10)
    w.string(obj.name)
  }

  if ((obj.port != null && obj.port !== 0)) {
    w.uint32(16)
    w.uint32(obj.port)
  }

  if ((obj.protocol != null && obj.protocol !== 0)) {
    w.uint32(24)
    w.uint32(obj.protocol)
  }

  if (obj.tags != null && obj.tags.length > 0) {
    for (const value of obj.tags) {
      w.uint32(34)
      w.string(value)
    }
  }

  if ((obj.state != null && obj.state !== 0)) {
    w.uint32(40)
    w.uint32(obj.state)
  }
}, () => ({
  name: '',
  port: 0,
  protocol: 0,
  tags: [],
  state: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.name = reader.string()
      break
    }
    case 2: {
      obj.port = reader.uint32()
      break
    }
    case 3: {
      obj.protocol = reader.uint32()
      break
    }
    case 4: {
      if (opts.limits?.tags != null && obj.tags.length === opts.limits.tags) {
        throw new MaxLengthError('Decode error - repeated field "tags" had too many elements')
      }

      obj.tags.push(reader.string())
      break
    }
    case 5: {
      obj.state = reader.uint32()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RecordAdditions {
  stores: RecordStore[]
}

export const RecordAdditions = messageType<RecordAdditions>((obj, w) => {
  if (obj.stores != null && obj.stores.length > 0) {
    for (const value of obj.stores) {
      w.uint32(130)
      RecordStore.codec().encode(value, w)
    }
  }
}, () => ({
  stores: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 16: {
      if (opts.limits?.stores != null && obj.stores.length === opts.limits.stores) {
        throw new MaxLengthError('Decode error - repeated field "stores" had too many elements')
      }

      obj.stores.push(RecordStore.codec().decode(reader, reader.uint32(), inside(opts.limits?.stores$)))
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RecordStore {
  name: string
  digest: Uint8Array
}

export const RecordStore = messageType<RecordStore>((obj, w) => {
  if ((obj.name != null && obj.name !== '')) {
    w.uint32(10)
    w.string(obj.name)
  }

  if ((obj.digest != null && obj.digest.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.digest)
  }
}, () => ({
  name: '',
  digest: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.name = reader.string()
      break
    }
    case 2: {
      obj.digest = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface Invite {
  version: number
  domain: string
  networkId: Uint8Array
  registries: InviteRegistry[]
  grantId: Uint8Array
  epoch: number
  n: number
  entryHash: Uint8Array
  role: number
  name: string
  notAfterMs: number
  seed: Uint8Array
}

export const Invite = messageType<Invite>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.domain != null && obj.domain !== '')) {
    w.uint32(18)
    w.string(obj.domain)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.networkId)
  }

  if (obj.registries != null && obj.registries.length > 0) {
    for (const value of obj.registries) {
      w.uint32(34)
      InviteRegistry.codec().encode(value, w)
    }
  }

  if ((obj.grantId != null && obj.grantId.byteLength > 0)) {
    w.uint32(42)
    w.bytes(obj.grantId)
  }

  if ((obj.epoch != null && obj.epoch !== 0)) {
    w.uint32(48)
    w.uint64Number(obj.epoch)
  }

  if ((obj.n != null && obj.n !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.n)
  }

  if ((obj.entryHash != null && obj.entryHash.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.entryHash)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(72)
    w.uint32(obj.role)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(82)
    w.string(obj.name)
  }

  if ((obj.notAfterMs != null && obj.notAfterMs !== 0)) {
    w.uint32(88)
    w.uint64Number(obj.notAfterMs)
  }

  if ((obj.seed != null && obj.seed.byteLength > 0)) {
    w.uint32(98)
    w.bytes(obj.seed)
  }
}, () => ({
  version: 0,
  domain: '',
  networkId: uint8ArrayAlloc(0),
  registries: [],
  grantId: uint8ArrayAlloc(0),
  epoch: 0,
  n: 0,
  entryHash: uint8ArrayAlloc(0),
  role: 0,
  name: '',
  notAfterMs: 0,
  seed: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.domain = reader.string()
      break
    }
    case 3: {
      obj.networkId = reader.bytes()
      break
    }
    case 4: {
      if (opts.limits?.registries != null && obj.registries.length === opts.limits.registries) {
        throw new MaxLengthError('Decode error - repeated field "registries" had too many elements')
      }

      obj.registries.push(InviteRegistry.codec().decode(reader, reader.uint32(), inside(opts.limits?.registries$)))
      break
    }
    case 5: {
      obj.grantId = reader.bytes()
      break
    }
    case 6: {
      obj.epoch = reader.uint64Number()
      break
    }
    case 7: {
      obj.n = reader.uint64Number()
      break
    }
    case 8: {
      obj.entryHash = reader.bytes()
      break
    }
    case 9: {
      obj.role = reader.uint32()
      break
    }
    case 10: {
      obj.name = reader.string()
      break
    }
    case 11: {
      obj.notAfterMs = reader.uint64Number()
      break
    }
    case 12: {
      obj.seed = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface InviteRegistry {
  publicKey: Uint8Array
  addrs: Uint8Array[]
}

export const InviteRegistry = messageType<InviteRegistry>((obj, w) => {
  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(10)
    w.bytes(obj.publicKey)
  }

  if (obj.addrs != null && obj.addrs.length > 0) {
    for (const value of obj.addrs) {
      w.uint32(18)
      w.bytes(value)
    }
  }
}, () => ({
  publicKey: uint8ArrayAlloc(0),
  addrs: []
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.publicKey = reader.bytes()
      break
    }
    case 2: {
      if (opts.limits?.addrs != null && obj.addrs.length === opts.limits.addrs) {
        throw new MaxLengthError('Decode error - repeated field "addrs" had too many elements')
      }

      obj.addrs.push(reader.bytes())
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface JoinRequest {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  name: string
  role: number
  grantId: Uint8Array
  inviteKey: Uint8Array
  inviteSignature: Uint8Array
  timeMs: number
}

export const JoinRequest = messageType<JoinRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(34)
    w.string(obj.name)
  }

  if ((obj.role != null && obj.role !== 0)) {
    w.uint32(40)
    w.uint32(obj.role)
  }

  if ((obj.grantId != null && obj.grantId.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.grantId)
  }

  if ((obj.inviteKey != null && obj.inviteKey.byteLength > 0)) {
    w.uint32(58)
    w.bytes(obj.inviteKey)
  }

  if ((obj.inviteSignature != null && obj.inviteSignature.byteLength > 0)) {
    w.uint32(66)
    w.bytes(obj.inviteSignature)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(72)
    w.uint64Number(obj.timeMs)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  name: '',
  role: 0,
  grantId: uint8ArrayAlloc(0),
  inviteKey: uint8ArrayAlloc(0),
  inviteSignature: uint8ArrayAlloc(0),
  timeMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.name = reader.string()
      break
    }
    case 5: {
      obj.role = reader.uint32()
      break
    }
    case 6: {
      obj.grantId = reader.bytes()
      break
    }
    case 7: {
      obj.inviteKey = reader.bytes()
      break
    }
    case 8: {
      obj.inviteSignature = reader.bytes()
      break
    }
    case 9: {
      obj.timeMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface JoinReceipt {
  version: number
  networkId: Uint8Array
  joinHash: Uint8Array
  timeMs: number
}

export const JoinReceipt = messageType<JoinReceipt>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.joinHash != null && obj.joinHash.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.joinHash)
  }

  if ((obj.timeMs != null && obj.timeMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.timeMs)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  joinHash: uint8ArrayAlloc(0),
  timeMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.joinHash = reader.bytes()
      break
    }
    case 4: {
      obj.timeMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RenewRequest {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  notAfterMs: number
}

export const RenewRequest = messageType<RenewRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.notAfterMs != null && obj.notAfterMs !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.notAfterMs)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  notAfterMs: 0
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.notAfterMs = reader.uint64Number()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface ForgetRequest {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  membership: Uint8Array
}

export const ForgetRequest = messageType<ForgetRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.membership != null && obj.membership.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.membership)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  membership: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.membership = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface StoreManifest {
  version: number
  networkId: Uint8Array
  publicKey: Uint8Array
  seq: number
  name: string
  root: Uint8Array
  sizeBytes: number
  files: number
  issuedMs: number
  removed: boolean
}

export const StoreManifest = messageType<StoreManifest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.publicKey)
  }

  if ((obj.seq != null && obj.seq !== 0)) {
    w.uint32(32)
    w.uint64Number(obj.seq)
  }

  if ((obj.name != null && obj.name !== '')) {
    w.uint32(42)
    w.string(obj.name)
  }

  if ((obj.root != null && obj.root.byteLength > 0)) {
    w.uint32(50)
    w.bytes(obj.root)
  }

  if ((obj.sizeBytes != null && obj.sizeBytes !== 0)) {
    w.uint32(56)
    w.uint64Number(obj.sizeBytes)
  }

  if ((obj.files != null && obj.files !== 0)) {
    w.uint32(64)
    w.uint64Number(obj.files)
  }

  if ((obj.issuedMs != null && obj.issuedMs !== 0)) {
    w.uint32(72)
    w.uint64Number(obj.issuedMs)
  }

  if ((obj.removed != null && obj.removed !== false)) {
    w.uint32(80)
    w.bool(obj.removed)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  publicKey: uint8ArrayAlloc(0),
  seq: 0,
  name: '',
  root: uint8ArrayAlloc(0),
  sizeBytes: 0,
  files: 0,
  issuedMs: 0,
  removed: false
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.publicKey = reader.bytes()
      break
    }
    case 4: {
      obj.seq = reader.uint64Number()
      break
    }
    case 5: {
      obj.name = reader.string()
      break
    }
    case 6: {
      obj.root = reader.bytes()
      break
    }
    case 7: {
      obj.sizeBytes = reader.uint64Number()
      break
    }
    case 8: {
      obj.files = reader.uint64Number()
      break
    }
    case 9: {
      obj.issuedMs = reader.uint64Number()
      break
    }
    case 10: {
      obj.removed = reader.bool()
      break
    }
    default: {
      return false
    }
  }

  return true
})

export interface RotateRequest {
  version: number
  networkId: Uint8Array
  oldKey: Uint8Array
  newKey: Uint8Array
}

export const RotateRequest = messageType<RotateRequest>((obj, w) => {
  if ((obj.version != null && obj.version !== 0)) {
    w.uint32(8)
    w.uint32(obj.version)
  }

  if ((obj.networkId != null && obj.networkId.byteLength > 0)) {
    w.uint32(18)
    w.bytes(obj.networkId)
  }

  if ((obj.oldKey != null && obj.oldKey.byteLength > 0)) {
    w.uint32(26)
    w.bytes(obj.oldKey)
  }

  if ((obj.newKey != null && obj.newKey.byteLength > 0)) {
    w.uint32(34)
    w.bytes(obj.newKey)
  }
}, () => ({
  version: 0,
  networkId: uint8ArrayAlloc(0),
  oldKey: uint8ArrayAlloc(0),
  newKey: uint8ArrayAlloc(0)
}), (obj, field, reader, opts) => {
  switch (field) {
    case 1: {
      obj.version = reader.uint32()
      break
    }
    case 2: {
      obj.networkId = reader.bytes()
      break
    }
    case 3: {
      obj.oldKey = reader.bytes()
      break
    }
    case 4: {
      obj.newKey = reader.bytes()
      break
    }
    default: {
      return false
    }
  }

  return true
})

/** The fields of each message by number. */
export const shapes: Shapes = new Map<unknown, Shape>([
  [Envelope, { 1: { type: 'bytes' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 5: { type: 'bytes' } }],
  [Policy, { 1: { type: 'uint32' }, 2: { type: 'uint64' }, 3: { type: 'uint64' }, 4: { type: 'uint32' }, 5: { type: 'uint32' }, 6: { type: 'uint64' }, 7: { type: 'uint64' }, 8: { type: 'uint64' }, 9: { type: 'uint32' }, 10: { type: 'uint32', rule: 'repeated' }, 11: { type: PolicyRule, rule: 'repeated' }, 12: { type: PolicyTest, rule: 'repeated' }, 13: { type: 'uint32' }, 14: { type: 'uint32' }, 15: { type: 'uint32', rule: 'repeated' }, 16: { type: 'bytes', rule: 'repeated' } }],
  [PolicyAdditions, { 17: { type: 'uint64' } }],
  [PolicyRule, { 1: { type: 'string' }, 2: { type: 'string' }, 3: { type: 'string' } }],
  [PolicyTest, { 1: { type: 'string' }, 2: { type: 'string' }, 3: { type: 'string' }, 4: { type: 'bool' } }],
  [Genesis, { 1: { type: 'uint32' }, 2: { type: 'string' }, 3: { type: 'string' }, 4: { type: 'bytes' }, 5: { type: 'bytes' }, 6: { type: 'bytes' }, 7: { type: 'uint64' }, 8: { type: Policy } }],
  [LogEntry, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'uint64' }, 4: { type: 'bytes' }, 5: { type: 'uint64' }, 6: { type: 'uint64' }, 7: { type: 'uint32' }, 8: { type: 'bytes' }, 9: { type: 'bytes', rule: 'repeated' } }],
  [Admit, { 1: { type: 'bytes' }, 2: { type: 'string' }, 3: { type: 'uint32' }, 4: { type: 'uint64' }, 5: { type: 'uint32' }, 6: { type: 'bytes' }, 7: { type: 'bytes' }, 8: { type: 'bytes' }, 9: { type: 'string', rule: 'repeated' }, 10: { type: 'uint64' } }],
  [Grant, { 1: { type: 'bytes' }, 2: { type: 'bytes' }, 3: { type: 'uint32' }, 4: { type: 'string' }, 5: { type: 'string', rule: 'repeated' }, 6: { type: 'string' }, 7: { type: 'uint32' }, 8: { type: 'uint64' }, 9: { type: 'string' }, 10: { type: 'uint64' } }],
  [GrantEnd, { 1: { type: 'bytes' }, 2: { type: 'string' } }],
  [Renew, { 1: { type: 'bytes' }, 2: { type: 'uint64' }, 3: { type: 'bytes' } }],
  [Revoke, { 1: { type: 'bytes' }, 2: { type: 'string' }, 3: { type: 'string' } }],
  [Change, { 1: { type: 'bytes' }, 2: { type: 'string' }, 3: { type: 'uint32' }, 4: { type: 'string', rule: 'repeated' } }],
  [End, { 1: { type: 'bytes' }, 2: { type: 'string' }, 3: { type: 'bytes' } }],
  [Rotate, { 1: { type: 'bytes' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'bytes' } }],
  [RegistrySet, { 1: { type: 'bytes' }, 2: { type: 'uint32' }, 3: { type: 'bool' } }],
  [Delegate, { 1: { type: 'bytes' } }],
  [Authority, { 1: { type: 'bytes' }, 2: { type: 'bytes' } }],
  [Publisher, { 1: { type: 'bytes' }, 2: { type: 'bool' } }],
  [Publish, { 1: { type: 'string' }, 2: { type: 'uint64' }, 3: { type: 'string' }, 4: { type: 'bytes' }, 5: { type: 'uint64' }, 6: { type: 'bytes' } }],
  [Retire, { 1: { type: 'string' }, 2: { type: 'string' } }],
  [Operator, { 1: { type: 'bytes' }, 2: { type: 'string' }, 3: { type: 'bool' } }],
  [Order, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'uint32' }, 5: { type: 'bytes' }, 6: { type: 'uint64' }, 7: { type: 'uint64' }, 8: { type: 'uint64' }, 9: { type: 'bytes' } }],
  [Checkpoint, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'uint64' }, 4: { type: 'uint64' }, 5: { type: 'bytes' }, 6: { type: 'bytes' }, 7: { type: 'uint64' }, 8: { type: 'uint64' }, 9: { type: 'uint64' } }],
  [NodeRecord, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'uint64' }, 5: { type: 'bytes', rule: 'repeated' }, 6: { type: 'bytes' }, 7: { type: 'uint32', rule: 'repeated' }, 8: { type: Service, rule: 'repeated' }, 9: { type: 'string', rule: 'repeated' }, 10: { type: 'string' }, 11: { type: 'uint32' }, 12: { type: 'bool' }, 13: { type: 'uint64' }, 14: { type: 'bytes', rule: 'repeated' }, 15: { type: Maintenance } }],
  [Maintenance, { 1: { type: 'uint64' }, 2: { type: 'string' } }],
  [Service, { 1: { type: 'string' }, 2: { type: 'uint32' }, 3: { type: 'uint32' }, 4: { type: 'string', rule: 'repeated' }, 5: { type: 'uint32' } }],
  [RecordAdditions, { 16: { type: RecordStore, rule: 'repeated' } }],
  [RecordStore, { 1: { type: 'string' }, 2: { type: 'bytes' } }],
  [Invite, { 1: { type: 'uint32' }, 2: { type: 'string' }, 3: { type: 'bytes' }, 4: { type: InviteRegistry, rule: 'repeated' }, 5: { type: 'bytes' }, 6: { type: 'uint64' }, 7: { type: 'uint64' }, 8: { type: 'bytes' }, 9: { type: 'uint32' }, 10: { type: 'string' }, 11: { type: 'uint64' }, 12: { type: 'bytes' } }],
  [InviteRegistry, { 1: { type: 'bytes' }, 2: { type: 'bytes', rule: 'repeated' } }],
  [JoinRequest, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'string' }, 5: { type: 'uint32' }, 6: { type: 'bytes' }, 7: { type: 'bytes' }, 8: { type: 'bytes' }, 9: { type: 'uint64' } }],
  [JoinReceipt, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'uint64' } }],
  [RenewRequest, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'uint64' } }],
  [ForgetRequest, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'bytes' } }],
  [StoreManifest, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'uint64' }, 5: { type: 'string' }, 6: { type: 'bytes' }, 7: { type: 'uint64' }, 8: { type: 'uint64' }, 9: { type: 'uint64' }, 10: { type: 'bool' } }],
  [RotateRequest, { 1: { type: 'uint32' }, 2: { type: 'bytes' }, 3: { type: 'bytes' }, 4: { type: 'bytes' } }]
])
