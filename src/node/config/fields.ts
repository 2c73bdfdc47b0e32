import { z } from 'zod'
import { reasonOf } from '../../runtime/error-message.ts'
import { domainRule, isLabel, normalDomain } from './domain.ts'
import { parseDuration } from './durations.ts'

/**
 * Field types. Each takes what YAML gives (typed) and what the environment and flags give (text), so the three sources
 * share one set of rules and messages.
 */

export const problem = (context: z.RefinementCtx, message: string): never => {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

/** ms, from a duration text. */
export const duration = (min: string, max: string) =>
  z.unknown().transform((value, context): number => {
    const ms = parseDuration(value)
    if (ms === undefined) return problem(context, `${show(value)} is no duration: write 30s, 5m, 1h or 90d`)
    if (ms < (parseDuration(min) ?? 0) || ms > (parseDuration(max) ?? Number.POSITIVE_INFINITY)) {
      return problem(context, `${show(value)} is outside ${min} to ${max}`)
    }
    return ms
  })

export const integer = (min: number, max: number) => number(min, max, true)

/** A number as people write it. Others read 010, 0x10, 1e3 and +1 in ways of their own. */
const decimal = /^-?(0|[1-9]\d*)(\.\d+)?$/

export const number = (min: number, max: number, whole = false) =>
  z.unknown().transform((value, context): number => {
    const parsed = typeof value === 'string' && decimal.test(value.trim()) ? Number(value) : value
    if (typeof parsed !== 'number' || Number.isNaN(parsed) || (whole && !Number.isInteger(parsed))) {
      return problem(context, `${show(value)} is no ${whole ? 'whole ' : ''}number`)
    }
    if (parsed < min || parsed > max) return problem(context, `${parsed} is outside ${min} to ${max}`)
    return parsed
  })

const yes = new Set<unknown>([true, 'true', 'yes', 'on', '1', 1])
const no = new Set<unknown>([false, 'false', 'no', 'off', '0', 0])

/** '2/10s': two at once, given back over 10 s. */
export const rate = () =>
  z.unknown().transform((value, context): { count: number; perMs: number } => {
    const [countText = '', perText = ''] = String(value).split('/')
    const perMs = parseDuration(perText)
    if (!/^[1-9]\d{0,8}$/.test(countText) || perMs === undefined || perMs < 1) {
      return problem(context, `${show(value)} is no rate: write 2/10s for two in ten seconds`)
    }
    return { count: Number(countText), perMs }
  })

export const flag = () =>
  z.unknown().transform((value, context): boolean => {
    if (yes.has(value)) return true
    if (no.has(value)) return false
    return problem(context, `${show(value)} is neither true nor false`)
  })

export const oneOf = <const T extends string>(choices: readonly T[], aliases: Readonly<Record<string, T>> = {}) => {
  const byAlias = new Map(Object.entries(aliases))
  return z.unknown().transform((value, context): T => {
    const found = choices.find((choice) => choice === value) ?? byAlias.get(String(value))
    return found ?? problem(context, `${show(value)} is none of ${choices.join(', ')}`)
  })
}

/** Text that a rule accepts; the rule answers with what is wrong, or with nothing. */
export const text = (rule: (value: string) => string | undefined = () => undefined) =>
  z.unknown().transform((value, context): string => {
    if (typeof value === 'number' || typeof value === 'boolean') {
      return problem(
        context,
        `is read as ${typeof value === 'number' ? 'the number' : 'the word'} ${value}, and text is due: put it in quotes`
      )
    }
    if (typeof value !== 'string' || value === '') return problem(context, `${show(value)} is no text`)
    const wrong = rule(value)
    return wrong === undefined ? value : problem(context, wrong)
  })

/** A list of different things, each once; in the environment and in flags its parts are separated by commas. */
export const list = <T>(item: z.ZodType<T>, max: number) =>
  z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z
      .array(item, { error: 'is no list' })
      // Two spellings of one address are one by now.
      .transform((parts) => [...new Set(parts)])
      .refine((parts) => parts.length <= max, { error: `has more than ${max} parts` })
  )

export const nodeName = () =>
  text((value) =>
    isLabel(value) ? undefined : `'${value}' is no name: use a to z, 0 to 9 and inner hyphens, at most 63 characters`
  )

export const domainName = () =>
  z.unknown().transform((value, context): string => {
    const domain = typeof value === 'string' ? normalDomain(value) : undefined
    return domain ?? problem(context, `${show(value)} is no domain name: ${domainRule(String(value))}`)
  })

/** Gives what `parse` does, or its refusal as a problem. */
export const refused = <T>(context: z.RefinementCtx, parse: () => T): T => {
  try {
    return parse()
  } catch (error) {
    return problem(context, reasonOf(error))
  }
}

export const show = (value: unknown): string =>
  value === null || value === undefined ? 'nothing' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
