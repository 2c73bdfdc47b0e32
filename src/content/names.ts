import { setImmediate as nextTurn } from 'node:timers/promises'
import { UnfitNameError } from './errors.ts'

const maxNameBytes = 255
/** Files that are not whole yet. Nobody's content may have such a name: it would be written over. */
export const partPrefix = '.trustnet-part-'
/** Names of devices on Windows, with any ending, spaces before it, and what follows a colon. */
const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:[.:]|$)/i
const unfitCharacters = /[\p{Cc}/\\\ufffd]/u

/** Reason why nothing is written under a name; undefined: it is fit. */
export function unfitness(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'it names no file of its folder'
  if (unfitCharacters.test(name) || !name.isWellFormed()) return 'it has a control character, a slash or broken UTF-8'
  if (Buffer.byteLength(name) > maxNameBytes) return `it has more than ${maxNameBytes} bytes`
  if (device.test(name)) return 'it is the name of a device on some systems'
  if (name.startsWith(partPrefix)) return 'files that are not whole yet are named so'
  return undefined
}

/** Names that are looked at in one turn of the event loop: a folder may have a million. */
export const namesOfTurn = 512

/** Makes sure that the names of one folder can be written beside each other, whatever the file system. @throws UnfitNameError */
export async function checkNames(names: readonly string[], folder: string): Promise<void> {
  const seen = new Map<string, string>()
  for (const [at, name] of names.entries()) {
    if (at % namesOfTurn === namesOfTurn - 1) await nextTurn()
    const why = unfitness(name)
    if (why !== undefined) throw new UnfitNameError(`${placeOf(name, folder)} cannot be shared: ${why}; rename it`)
    const folded = name.normalize('NFC').toLowerCase().toUpperCase()
    const other = seen.get(folded)
    if (other !== undefined)
      throw new UnfitNameError(
        `${placeOf(name, folder)} cannot be shared beside ${JSON.stringify(other)}: some systems take both for one name; rename one`
      )
    seen.set(folded, name)
  }
}

const placeOf = (name: string, folder: string): string => `${JSON.stringify(name)} in ${folder}`
