import type { EntryContent } from '../objects/entry.ts'
import type { NetworkState } from './state/network-state.ts'

/** The draft with what only its place in the log tells: a revoke says whose name is free from then on, whatever an earlier one said. */
export function completed<T extends EntryContent>(content: T, state: NetworkState): T {
  if (content.kind !== 'revoke') return content
  const { name: _, ...body } = content.body
  const name = state.member(body.publicKey)?.name
  return { ...content, body: name === undefined ? body : { ...body, name } }
}
