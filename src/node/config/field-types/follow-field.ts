import { z } from 'zod'
import { isName } from '../../../identity/checked-bytes.ts'
import { isPeerIdText } from '../../../identity/keys.ts'
import { problem, show } from '../fields.ts'

const mostStores = 256

/** Stores of others that a node follows: every one, none, or those of a list: `music`, `alice/music`, `alice/*`. */
export const followField = () =>
  z.unknown().transform((value, context): 'all' | 'none' | string[] => {
    if (value === 'all' || value === 'none') return value
    const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value
    if (!Array.isArray(names)) return problem(context, `${show(value)} is none of all, none and a list of stores`)
    const wrong: unknown = names.find((name) => typeof name !== 'string' || !isStore(name))
    if (wrong !== undefined)
      return problem(
        context,
        `${show(wrong)} names no store: write music, alice/music or alice/*, or all or none alone`
      )
    if (names.length > mostStores) return problem(context, `has more than ${mostStores} parts`)
    return [...new Set(names.map(String))]
  })

function isStore(text: string): boolean {
  const [first = '', second, ...more] = text.split('/')
  if (more.length > 0) return false
  if (second === undefined) return isName(first)
  return (isName(first) || isPeerIdText(first)) && (second === '*' || isName(second))
}
