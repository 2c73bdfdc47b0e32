import { contentLimits } from './limits/content.ts'
import { libraryLimits } from './limits/libraries.ts'
import { registryLimits } from './limits/registry.ts'
import { streamLimits } from './limits/streams.ts'

/** Every number that a remote can exhaust, with the reason of its size. Config overrides single ones: `limitsWith`. */
export const defaultLimits = { ...streamLimits, ...registryLimits, ...contentLimits, ...libraryLimits }

export type ProtocolLimits = typeof defaultLimits

/** Single limits of single sections; what is left out keeps its default. */
export type LimitOverrides = { [Section in keyof ProtocolLimits]?: Partial<ProtocolLimits[Section]> }

export function limitsWith(overrides: LimitOverrides = {}): ProtocolLimits {
  const changed = new Map<string, object | undefined>(Object.entries(overrides))
  const sections = Object.entries(defaultLimits).map(([name, values]) => [name, { ...values, ...changed.get(name) }])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sections of the defaults, each with the changes of its own
  return Object.freeze(Object.fromEntries(sections)) as ProtocolLimits
}
