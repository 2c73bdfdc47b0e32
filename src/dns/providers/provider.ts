/** Places where the records of a domain can be written: by an operator's hands, or by an API. */
export const providerNames = ['manual', 'route53', 'cloudflare', 'rfc2136'] as const
export type ProviderName = (typeof providerNames)[number]

export interface RecordKey {
  /** Without the final dot. */
  readonly name: string
  readonly type: 'AAAA' | 'TXT'
}

/** Changes at one name. Values that are in neither list stay as they are. */
export interface RecordEdit extends RecordKey {
  readonly ttlSeconds: number
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

export interface ProviderOptions {
  readonly signal?: AbortSignal | undefined
  /** Told what is waited for, in one line each. */
  readonly progress?: ((message: string) => void) | undefined
}

/** One way of carrying out an edit by hand: the provider's name and its steps. */
export interface Steps {
  readonly title: string
  readonly steps: readonly string[]
}

export interface Instructions {
  /** Lines of a zone file that are to be there, and those that are to go. */
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly how: readonly Steps[]
  /** The question that shows what the world sees. */
  readonly check: string
}

export type Applied =
  /** `values` is the whole set now; `changed` is false when nothing had to be done. */
  | { readonly kind: 'written'; readonly changed: boolean; readonly values: readonly string[] }
  /** Nothing was written: an operator has to. */
  | { readonly kind: 'by-hand'; readonly instructions: Instructions }

/**
 * Every call has deadlines of its own and throws ProviderRefusedError or ProviderUnreachableError. What is written is visible
 * to the world only once the zone's servers have it: `waitUntilPublished` asks them.
 */
export interface DnsProvider {
  readonly name: ProviderName
  /** Proves, without changing anything, that this name can be written. Resolves to where: `zone example.org at Cloudflare`. */
  prepare(name: string, options?: ProviderOptions): Promise<string>
  /** Adds and removes exactly these values; every other value of the name stays. Idempotent. */
  change(edit: RecordEdit, options?: ProviderOptions): Promise<Applied>
}

/** The provider says no: credentials, permissions, no such zone, a record in the way. The operator changes something and tries again. */
export class ProviderRefusedError extends Error {
  override readonly name = 'ProviderRefusedError'
}

/** The provider does not answer, or fails itself. Trying again later may help. */
export class ProviderUnreachableError extends Error {
  override readonly name = 'ProviderUnreachableError'
}

/** The set after an edit, in its old order with what is new at the end. */
export const edited = (values: readonly string[], { add, remove }: RecordEdit): string[] => {
  const kept = values.filter((value) => !remove.includes(value) || add.includes(value))
  return [...kept, ...add.filter((value) => !kept.includes(value))]
}

export const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value) => b.includes(value))

/** A name without its final dot, in lower case, as names are compared. */
export const plainName = (name: string): string => name.replace(/\.$/, '').toLowerCase()

/** `name` and the names above it, longest first. */
export const parents = (name: string): string[] => {
  const labels = plainName(name).split('.')
  return labels.map((_, at) => labels.slice(at).join('.'))
}
