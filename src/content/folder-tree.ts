import { setImmediate as nextTurn } from 'node:timers/promises'
import { murmur364 } from '@multiformats/murmur3'
import { byteAt } from '../identity/bytes.ts'
import { ContentLimitError } from './errors.ts'
import { partOf } from './file-tree.ts'
import { namesOfTurn } from './names.ts'
import { type MadeBlock, nodeBlock, type Part, shardWidth } from './node.ts'

interface Spread {
  readonly part: Part
  readonly hash: Uint8Array
}

/** Two digits of base16, upper case: how the place of an entry stands before its name. */
const placeText = (place: number): string => place.toString(16).toUpperCase().padStart(2, '0')

/** Makes the blocks of a folder from its entries. The first of them says its mode, where modes are kept. */
export async function folderTree(
  parts: readonly Part[],
  isLarge: boolean,
  put: (block: MadeBlock) => Promise<void>,
  mode?: number
): Promise<MadeBlock> {
  if (isLarge) return await shard(await spread(parts), 0, put, mode)
  const block = nodeBlock({ type: 'folder', parts: parts.toSorted(byName), ...(mode !== undefined && { mode }) })
  await put(block)
  return block
}

/** Hashes the names, with pauses for others. */
async function spread(parts: readonly Part[]): Promise<Spread[]> {
  const entries: Spread[] = []
  for (const [at, part] of parts.entries()) {
    if (at % namesOfTurn === namesOfTurn - 1) await nextTurn()
    entries.push({ part, hash: await murmur364.encode(Buffer.from(part.name)) })
  }
  return entries
}

const byName = (a: Part, b: Part): number => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))

/** One node with at most 256 places, by the next byte of the hash of each name; where two names meet there is another one below. */
async function shard(
  entries: readonly Spread[],
  depth: number,
  put: (block: MadeBlock) => Promise<void>,
  mode?: number
): Promise<MadeBlock> {
  if (depth === 8) throw new ContentLimitError('two names of a folder have the same hash')
  const byPlace = Map.groupBy(entries, ({ hash }) => byteAt(hash, depth))
  const places = new Uint8Array(shardWidth / 8)
  const parts: Part[] = []
  for (const [place, those] of [...byPlace].toSorted(([a], [b]) => a - b)) {
    const index = places.length - 1 - (place >> 3)
    places[index] = byteAt(places, index) | (1 << (place & 7))
    const [first] = those
    parts.push(
      first !== undefined && those.length === 1
        ? { ...first.part, name: placeText(place) + first.part.name }
        : partOf(await shard(those, depth + 1, put), placeText(place))
    )
  }
  // Without zeros before the first place that is taken.
  const taken = places.subarray(places.findIndex((byte) => byte !== 0))
  const block = nodeBlock({ type: 'shard', parts, places: taken, ...(mode !== undefined && { mode }) })
  await put(block)
  return block
}
