import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordEdit } from '../../dns/providers/provider.ts'
import { zoneLine } from '../../dns/records.ts'
import { controlClient } from '../../node/api/client.ts'
import type { RegistryStatusView, StatusView } from '../../node/api/control-api.ts'
import { InstallError } from '../errors.ts'
import { type Check, fail, pass, warn } from '../model/check.ts'
import type { Install, StatusSource } from '../model/deployment.ts'
import { announcedRecord, isThere, lookup } from './record.ts'

/** Key, store and listener are there within a second or two, also on a slow disk. */
const answerMs = 60_000
/** From the first dial to the admission by a root that is there. */
const joinMs = 30_000
/** The root names a registry after 10 s of health, and looks every second. */
const namedMs = 60_000
/** A database that is there answers within three seconds, and one that was just started a little later. */
const storeMs = 15_000
const lookMs = 100

export interface VerifyOptions {
  readonly signal: AbortSignal
  /** Says what is waited for now. */
  readonly say: (text: string) => void
  /** Rejects when the process is known to have ended. */
  readonly ended?: Promise<never> | undefined
  /** Way in which it is asked; default: over its control socket. */
  readonly source?: StatusSource | undefined
}

export interface Verified {
  readonly status: StatusView
  /** Time that the process took to answer the last question. */
  readonly answerMs: number
  readonly peers: number
  /** A second registry: whether the root has named it in the log, and what is missing in DNS then; null: another role. */
  readonly named: { readonly isNamed: boolean; readonly record: RecordEdit | undefined } | null
  /** Database that keeps the log, as the process sees it; undefined: the store of the root keeps it. */
  readonly logStore: LogStore | undefined
}

export interface LogStore {
  readonly url: string
  /** null: the process does not say yet. */
  readonly seen: RegistryStatusView['rootStore']
}

/** Waits until the process answers and, as far as the network allows it, is a member. A dead root is waited for later, by the node. */
export const verify = async (install: Install, options: VerifyOptions): Promise<Verified> => {
  const client = options.source ?? controlClient({ path: install.layout.socket })
  options.say('waiting for the process to answer')
  const first = await until(client, () => true, answerMs, options)
  if (first === undefined) {
    throw new InstallError(
      `${install.answers.name} did not answer${options.source === undefined ? ` at ${install.layout.socket}` : ''} within ${answerMs / 1000} s.`
    )
  }
  options.say('waiting for the admission')
  const settled = await until(client, isSettled, joinMs, options)
  const status = settled ?? (await client.status({}, { signal: options.signal }))
  const begun = performance.now()
  const { total } = await client.peers({}, { signal: options.signal })
  const took = performance.now() - begun
  const named = install.answers.role === 'secondary' ? await naming(install, client, status, options) : null
  const logStore = await logStoreOf(install, client, options)
  return { status, answerMs: took, peers: total, named, logStore }
}

const logStoreOf = async (
  { answers: { rootStore } }: Install,
  client: StatusSource,
  options: VerifyOptions
): Promise<LogStore | undefined> => {
  if (rootStore == null) return undefined
  options.say('waiting for the database of the log')
  const { url } = rootStore
  let store: LogStore = { url, seen: null }
  const answers = async (): Promise<boolean> => {
    const view = await client.registryStatus({}, { signal: options.signal }).catch(() => undefined)
    store = { url, seen: view?.rootStore ?? null }
    return isReached(store)
  }
  await until(client, answers, storeMs, options)
  return store
}

/** The database answers, and has the log of this network. */
export const isReached = ({ seen }: LogStore): boolean => seen !== null && seen.failure === null && seen.term !== null

/** Nobody is led to a second registry before it was seen to work: the root enters it into the registry set then. */
const naming = async (
  { answers }: Install,
  client: StatusSource,
  status: StatusView,
  options: VerifyOptions
): Promise<Verified['named']> => {
  const { signal, say } = options
  if (status.membership.state !== 'member') return { isNamed: false, record: undefined }
  say('waiting until the root names it a registry, after 10 s of health')
  const isNamed = async (): Promise<boolean> => {
    const view = await client.registryStatus({}, { signal }).catch(() => undefined)
    return view?.registries.some(({ peerId }) => peerId === status.self.peerId) ?? false
  }
  if ((await until(client, isNamed, namedMs, options)) === undefined) return { isNamed: false, record: undefined }
  const record = announcedRecord(answers.domain, status.announced)
  const there = record === undefined || isThere(record, await lookup(answers.domain, signal))
  return { isNamed: true, record: there ? undefined : record }
}

/** There is nothing more to wait for, or it is somebody else's turn. */
export const isSettled = ({ word, membership, registry, self }: StatusView): boolean =>
  word !== 'starting' &&
  (word === 'healthy' ||
    word === 'refused' ||
    membership.state === 'pending' ||
    (membership.state === 'member' && (self.role === 'root' || registry.lease !== null)))

/** The first status that is as wanted; undefined: none within the time. */
const until = async (
  client: StatusSource,
  wanted: (status: StatusView) => boolean | Promise<boolean>,
  ms: number,
  { signal, ended }: VerifyOptions
): Promise<StatusView | undefined> => {
  const deadline = performance.now() + ms
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    const asked = client.status({}, { signal }).catch(() => undefined)
    const status = await (ended === undefined ? asked : Promise.race([asked, ended]))
    if (status !== undefined && (await wanted(status))) return status
    await sleep(lookMs, undefined, { signal })
  }
  return undefined
}

/** Turns what was found at the end into checks. Pure. */
export const verifiedChecks = ({ status, answerMs: took, named, logStore }: Verified): Check[] => [
  pass('process', 'Process', `answers in ${Math.max(1, Math.round(took))} ms`),
  membership(status),
  heartbeat(status),
  status.announced.length > 0
    ? pass('announced', 'IPv6', status.announced.join(', '))
    : warn('announced', 'IPv6', 'no address is announced yet', 'trustnet doctor'),
  ...(named === null ? [] : [registrySet(status, named)]),
  ...(logStore === undefined ? [] : [rootLog(logStore)]),
  dns(status)
]

const rootLog = (store: LogStore): Check => {
  const check = ['root-store', 'Root log'] as const
  if (isReached(store)) return pass(...check, `${store.url} is reached`)
  const why = store.seen?.failure ?? 'it has no log of this network: it may be another one than the root names'
  return fail(
    ...check,
    `${store.url} is not of use yet: ${why}; nothing is appended through it until it is, and the process goes on trying`,
    'mend the database or the way to it, and look: trustnet registry status'
  )
}

const registrySet = ({ self }: StatusView, { isNamed, record }: NonNullable<Verified['named']>): Check => {
  const title = 'Registry set'
  if (!isNamed) {
    const reason =
      'the root has not named it a registry yet: nobody is to be led to it, so its address is not published'
    return warn('registry-set', title, reason, `when it has: trustnet dns check --node ${self.name ?? self.peerId}`)
  }
  if (record === undefined) return pass('registry-set', title, 'named by the root, and tnr leads here')
  const lines = record.add.map((value) => zoneLine({ ...record, value }))
  return warn('registry-set', title, 'named by the root: tnr is to lead here as well', `add ${lines.join(', ')}`)
}

const membership = ({ membership: { state, message }, summary, self }: StatusView): Check => {
  if (state === 'member') return pass('membership', 'Membership', 'admitted')
  if (state === 'pending') {
    const fix = `on the root: trustnet registry approve ${self.name ?? self.peerId}`
    return warn('membership', 'Membership', `waits for approval: ${message ?? summary}`, fix)
  }
  const reason = message ?? summary
  if (state === 'revoked') return fail('membership', 'Membership', reason, 'a new invite and a new key')
  return warn('membership', 'Membership', `not admitted yet: ${reason}; it goes on trying`, 'trustnet status')
}

const heartbeat = ({ registry, self }: StatusView): Check => {
  if (registry.lease !== null) {
    const rtt = registry.rttUs === null ? '' : `, ${Math.max(1, Math.round(registry.rttUs / 1000))} ms`
    return pass('heartbeat', 'Registry', `session with ${registry.lease.name ?? registry.lease.peerId}${rtt}`)
  }
  if (self.role === 'root') return pass('heartbeat', 'Registry', 'this is the root')
  return warn(
    'heartbeat',
    'Registry',
    `${registry.message ?? 'none answers yet'}; it joins when one is back`,
    'trustnet status'
  )
}

const dns = ({ dns: { state, addresses, name, message } }: StatusView): Check => {
  if (state === 'found') return pass('dns', 'DNS', `${name} is ${addresses.join(', ')}`)
  if (state === 'not-asked') return pass('dns', 'DNS', `${name} was not needed`)
  return warn('dns', 'DNS', message ?? `${name}: ${state}`, 'trustnet dns show')
}
