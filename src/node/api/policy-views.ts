import { z } from 'zod'
import { admission, answer, type Body, peerId, peerRef, text, textOrNull, whole } from './parts.ts'

// Answers about the policy: the values that count, what a change of them would do, and who may call whom.

/** Groups, or `*` for every member; a service, or `*` for every one. */
export const callRule = z.object({ from: text, to: text, service: text })
export const callTest = callRule.extend({ allowed: z.boolean() })
export const publishing = z.enum(['named', 'registries', 'root'])
export const relaying = z.enum(['members', 'registries', 'nobody'])

export const policyView = answer('policy', 'trustnet policy show --json, and set', {
  entry: whole.describe('of the log; 0: the genesis'),
  policy: z.object({
    admission,
    membershipMs: whole,
    documentBytes: whole,
    openGrants: whole,
    grantUses: whole,
    grantMs: whole,
    nameHoldMs: whole,
    returnGraceMs: whole,
    witnesses: whole.describe('witnesses that the head needs'),
    witnessGraceMs: whole.describe('age up to which an admission counts that too few witnesses have seen'),
    criticalKinds: z.array(whole),
    twoOperators: z.array(whole),
    rules: z.array(callRule).describe('who may call what; empty: every member every service'),
    tests: z.array(callTest).describe('what must come of the rules'),
    publishing,
    relaying,
    witnessKeys: z.array(peerId).describe('keys that may cosign; empty: those of the registries')
  })
})

const alike = z.object({
  groups: z.array(text),
  members: whole,
  names: z.array(text).describe('some of them')
})

export const policyPreview = answer(
  'policy-preview',
  'trustnet policy edit, policy set --plan and policy test --file --json',
  {
    entry: whole.describe('of the policy that counts now'),
    values: z.array(z.object({ key: text, before: z.unknown(), after: z.unknown() })).describe('those that change'),
    calls: z
      .array(
        z.object({
          from: alike,
          to: alike,
          service: text.describe('`*`: every service that no rule names'),
          allowed: z.boolean()
        })
      )
      .describe('what members may call after it and not before, or the other way round'),
    moreCalls: whole.describe('changes of calls that are left out'),
    refusal: textOrNull.describe('why the log does not take it; null: it does'),
    lockOut: textOrNull.describe('whom it locks out, so that it needs force; null: nobody')
  }
)

export const policyCall = answer('policy-call', 'trustnet policy test FROM TO SERVICE --json', {
  from: peerRef,
  to: peerRef,
  service: text,
  allowed: z.boolean(),
  rule: callRule.nullable().describe('the one that allows it; null: none, or there are no rules at all')
})

const natural = whole.min(0)

/** Values of the policy that a change may put in the place of those that count. */
export const changesInput = {
  twoOperators: z.array(natural).max(64).describe('numbers of kinds of entries, ascending').optional(),
  admission: admission.optional(),
  membershipMs: natural.optional(),
  documentBytes: natural.optional(),
  openGrants: natural.optional(),
  grantUses: natural.optional(),
  grantMs: natural.optional(),
  nameHoldMs: natural.optional(),
  returnGraceMs: natural.optional(),
  witnesses: natural.optional(),
  witnessGraceMs: natural.optional(),
  rules: z.array(callRule).max(128).optional(),
  tests: z.array(callTest).max(128).optional(),
  publishing: publishing.optional(),
  relaying: relaying.optional(),
  witnessKeys: z
    .array(z.string().max(256))
    .max(16)
    .describe('PeerIds, or verifier keys of witnesses outside')
    .optional()
}

export type PolicyPreview = Body<typeof policyPreview>
export type PolicyCallView = Body<typeof policyCall>
export type PolicyView = Body<typeof policyView>
