import { instructionsFor } from './instructions.ts'
import type { DnsProvider } from './provider.ts'

/** Writes nothing: tells the operator what to write. */
export const manual = (): DnsProvider => ({
  name: 'manual',
  prepare: (name) => Promise.resolve(`${name}, by hand`),
  change: (edit) =>
    Promise.resolve(
      edit.add.length + edit.remove.length === 0
        ? { kind: 'written', changed: false, values: [] }
        : { kind: 'by-hand', instructions: instructionsFor(edit) }
    )
})
