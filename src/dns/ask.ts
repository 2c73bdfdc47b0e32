import { Resolver } from 'node:dns/promises'
import { onAbort } from '../runtime/abort.ts'
import { usableResolver } from './link-local.ts'

/** Kinds of reasons why there is no usable answer. None of them is fatal: DNS is one source of addresses among others. */
export type DnsFailureKind = 'none' | 'no-domain' | 'servfail' | 'refused' | 'timeout' | 'bad-answer'

export interface DnsFailure {
  readonly kind: DnsFailureKind
  readonly message: string
}

export interface DnsOptions {
  /** Resolvers, as `2001:db8::53` or `[::1]:5353`; default: the system's. */
  readonly servers?: readonly string[] | undefined
  /** For all resolvers and tries together. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const defaultTimeoutMs = 5000
/** c-ares doubles the time of a try; so two tries at two resolvers fit into the whole. */
const triesShare = 6

const kinds: ReadonlyMap<string, [DnsFailureKind, string]> = new Map(
  Object.entries<[DnsFailureKind, string]>({
    ENODATA: ['none', 'the name has no such record'],
    ENOTFOUND: ['no-domain', 'the name does not exist'],
    ESERVFAIL: ['servfail', 'the resolver failed; a broken DNSSEC chain or a dead name server looks like this'],
    EREFUSED: ['refused', 'the resolver refuses to answer for this name'],
    ETIMEOUT: ['timeout', 'no resolver answered in time'],
    ECONNREFUSED: ['timeout', 'no resolver listens at the configured addresses'],
    ECANCELLED: ['timeout', 'no resolver answered in time'],
    EBADRESP: ['bad-answer', 'the answer is no valid DNS message'],
    EFORMERR: ['bad-answer', 'the resolver did not understand the question'],
    ENOTIMP: ['bad-answer', 'the resolver does not implement the question'],
    EBADNAME: ['bad-answer', 'the name is no valid DNS name']
  })
)

/** One question, with a deadline. Throws only what the caller's signal says. */
export const ask = async <T>(
  name: string,
  question: (resolver: Resolver) => Promise<T>,
  options: DnsOptions
): Promise<{ answer: T } | DnsFailure> => {
  const { signal, servers = [], timeoutMs = defaultTimeoutMs } = options
  signal?.throwIfAborted()
  const resolver = new Resolver({ timeout: Math.max(100, Math.floor(timeoutMs / triesShare)), tries: 2 })
  const cancel = (): void => resolver.cancel()
  const timer = setTimeout(cancel, timeoutMs).unref()
  using _ = onAbort(signal, cancel)
  await using usable = new AsyncDisposableStack()
  try {
    const addresses = await Promise.all(servers.map(async (server) => usable.use(await usableResolver(server)).address))
    if (addresses.length > 0) resolver.setServers(addresses)
    return { answer: await question(resolver) }
  } catch (error) {
    signal?.throwIfAborted()
    return failureOf(name, error)
  } finally {
    clearTimeout(timer)
  }
}

const failureOf = (name: string, error: unknown): DnsFailure => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code'
  const [kind, text] = kinds.get(code) ?? ['bad-answer', error instanceof Error ? error.message : String(error)]
  return { kind, message: `${name}: ${text} (${code})` }
}
