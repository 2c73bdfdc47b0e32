import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type HostedZone,
  InvalidChangeBatch,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
  Route53ServiceException,
  waitUntilResourceRecordSetsChanged
} from '@aws-sdk/client-route-53'
import { canonical } from '../published.ts'
import {
  type DnsProvider,
  edited,
  type ProviderOptions,
  ProviderRefusedError,
  ProviderUnreachableError,
  parents,
  plainName,
  type RecordEdit,
  type RecordKey,
  sameSet
} from './provider.ts'
import { quoted, unquoted } from './text-value.ts'

export interface Route53Init {
  /** Profile of ~/.aws; default: the SDK's own search: environment, files, container, instance. */
  readonly profile?: string | undefined
  /** Id of the hosted zone; default: the public zone nearest to the name. */
  readonly zoneId?: string | undefined
  readonly endpoint?: string | undefined
}

const connectMs = 5000
const requestMs = 10_000
const insyncSeconds = 120
/** Someone else's edit may come between reading and writing. */
const tries = 3
/** Route 53 is one service for all regions of a partition. */
const defaultRegion = 'us-east-1'

/** Amazon Route 53 through its SDK. */
export const route53 = (init: Route53Init = {}): DnsProvider => {
  const client = new Route53Client({
    region: process.env['AWS_REGION'] ?? defaultRegion,
    ...(init.profile !== undefined && { profile: init.profile }),
    ...(init.endpoint !== undefined && { endpoint: init.endpoint }),
    requestHandler: { connectionTimeout: connectMs, requestTimeout: requestMs }
  })
  return {
    name: 'route53',
    async prepare(name, { signal } = {}) {
      const zone = await told(signal, () => zoneFor(client, init, name, signal))
      await told(signal, () => read(client, zone.id, { name, type: 'AAAA' }, signal))
      return `zone ${zone.label} at Amazon Route 53`
    },
    change: (edit, options = {}) => told(options.signal, () => change(client, init, edit, options))
  }
}

interface Zone {
  readonly id: string
  readonly label: string
}

type Signal = AbortSignal | undefined

const callOptions = (signal: Signal): { abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal }

const zoneFor = async (client: Route53Client, init: Route53Init, name: string, signal: Signal): Promise<Zone> => {
  if (init.zoneId !== undefined) return { id: bareId(init.zoneId), label: init.zoneId }
  for (const parent of parents(name)) {
    const page = await client.send(
      new ListHostedZonesByNameCommand({ DNSName: parent, MaxItems: 10 }),
      callOptions(signal)
    )
    const found = (page.HostedZones ?? []).filter((zone) => isPublic(zone, parent))
    const [zone] = found
    if (found.length > 1) {
      const ids = found.map(({ Id }) => bareId(Id ?? '')).join(', ')
      throw new ProviderRefusedError(`Route 53 has several public zones ${parent}: ${ids}. Choose one with --zone-id.`)
    }
    if (zone?.Id !== undefined) return { id: bareId(zone.Id), label: parent }
  }
  throw new ProviderRefusedError(
    `Route 53 has no public hosted zone for ${name} in this account. Is it another --aws-profile?`
  )
}

const isPublic = ({ Name, Config }: HostedZone, parent: string): boolean =>
  plainName(Name ?? '') === parent && Config?.PrivateZone !== true

/** `/hostedzone/Z123` and `Z123` are the same. */
const bareId = (id: string): string => id.replace(/^\/hostedzone\//, '')

const read = async (
  client: Route53Client,
  zone: string,
  { name, type }: RecordKey,
  signal: Signal
): Promise<ResourceRecordSet | undefined> => {
  const page = await client.send(
    new ListResourceRecordSetsCommand({
      HostedZoneId: zone,
      StartRecordName: name,
      StartRecordType: type,
      MaxItems: 1
    }),
    callOptions(signal)
  )
  const found = page.ResourceRecordSets?.find(
    (set) => set.Type === type && plainName(set.Name ?? '') === plainName(name)
  )
  if (found?.AliasTarget !== undefined || found?.SetIdentifier !== undefined) {
    throw new ProviderRefusedError(
      `${name} is an alias or has a routing policy in Route 53. Make it a simple ${type} record, or edit it by hand.`
    )
  }
  return found
}

const valuesOf = (type: RecordKey['type'], set: ResourceRecordSet | undefined): string[] =>
  (set?.ResourceRecords ?? []).map(({ Value = '' }) => (type === 'TXT' ? unquoted(Value) : canonical(type, Value)))

const change = async (
  client: Route53Client,
  init: Route53Init,
  edit: RecordEdit,
  { signal, progress }: ProviderOptions
): ReturnType<DnsProvider['change']> => {
  const zone = await zoneFor(client, init, edit.name, signal)
  const wanted: RecordEdit = {
    ...edit,
    add: edit.add.map((value) => canonical(edit.type, value)),
    remove: edit.remove.map((value) => canonical(edit.type, value))
  }
  for (let attempt = 1; ; attempt++) {
    const before = await read(client, zone.id, edit, signal)
    const old = valuesOf(edit.type, before)
    const values = edited(old, wanted)
    if (sameSet(old, values)) return { kind: 'written', changed: false, values: old }
    try {
      await write(client, zone.id, swap(edit, before, values), { signal, progress })
      return { kind: 'written', changed: true, values }
    } catch (error) {
      const crossed = error instanceof InvalidChangeBatch && attempt < tries
      if (!crossed) throw error
      progress?.(`${edit.name} was changed by someone else meanwhile: reading it again`)
    }
  }
}

/** The old set must be there exactly as it was read, else the whole batch is refused: so no value of others is ever lost. */
const swap = (edit: RecordEdit, before: ResourceRecordSet | undefined, values: readonly string[]): Change[] => {
  const after: ResourceRecordSet = {
    Name: before?.Name ?? `${edit.name}.`,
    Type: edit.type,
    TTL: edit.ttlSeconds,
    ResourceRecords: values.map((value) => ({ Value: edit.type === 'TXT' ? quoted(value) : value }))
  }
  return [
    ...(before === undefined ? [] : [{ Action: 'DELETE' as const, ResourceRecordSet: before }]),
    ...(values.length === 0 ? [] : [{ Action: 'CREATE' as const, ResourceRecordSet: after }])
  ]
}

const write = async (
  client: Route53Client,
  zone: string,
  changes: Change[],
  { signal, progress }: ProviderOptions
): Promise<void> => {
  const answer = await client.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes: changes, Comment: 'TrustNet' } }),
    callOptions(signal)
  )
  const id = answer.ChangeInfo?.Id
  if (id === undefined || answer.ChangeInfo?.Status === 'INSYNC') return
  progress?.('written; Route 53 is copying it to its name servers')
  const waiter = { client, maxWaitTime: insyncSeconds, minDelay: 2, maxDelay: 5, ...callOptions(signal) }
  await waitUntilResourceRecordSetsChanged(waiter, { Id: id.replace(/^\/change\//, '') })
}

/** Runs a call and turns what the SDK throws into what an operator can act on. */
const told = async <T>(signal: Signal, call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    signal?.throwIfAborted()
    throw errorOf(error)
  }
}

const errorOf = (error: unknown): unknown => {
  if (!(error instanceof Error) || error instanceof ProviderRefusedError) return error
  if (error instanceof InvalidChangeBatch) {
    return new ProviderRefusedError(
      `Route 53 refuses the edit: ${[error.message, ...(error.messages ?? [])].join(' ')}`
    )
  }
  if (error.name === 'CredentialsProviderError') {
    return new ProviderRefusedError(
      `No AWS credentials: ${error.message} Use --aws-profile NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`
    )
  }
  if (error instanceof Route53ServiceException && error.$fault === 'client' && error.$retryable === undefined) {
    return new ProviderRefusedError(`Route 53 refuses (${error.name}): ${error.message}`)
  }
  return new ProviderUnreachableError(`Route 53 does not answer as it should (${error.name}): ${error.message}`)
}
