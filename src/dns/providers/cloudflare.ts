import { canonical } from '../published.ts'
import { type CloudflareApi, cloudflareApi } from './cloudflare-api.ts'
import {
  type DnsProvider,
  edited,
  type ProviderOptions,
  ProviderRefusedError,
  parents,
  plainName,
  type RecordEdit,
  type RecordKey,
  sameSet
} from './provider.ts'
import { quoted, unquoted } from './text-value.ts'

export interface CloudflareInit {
  /** An API token with the permission Zone > DNS > Edit for the zone. */
  readonly token: string
  readonly zoneId?: string | undefined
  readonly endpoint?: string | undefined
}

/** Cloudflare's API: each value is a record of its own, so no edit touches another's. */
export const cloudflare = (init: CloudflareInit): DnsProvider => {
  const api = cloudflareApi(init)
  return {
    name: 'cloudflare',
    async prepare(name, { signal } = {}) {
      const zone = await zoneFor(api, init, name, signal)
      await read(api, zone.id, { name, type: 'AAAA' }, signal)
      return `zone ${zone.name} at Cloudflare`
    },
    change: (edit, options = {}) => change(api, init, edit, options)
  }
}

interface Zone {
  readonly id: string
  readonly name: string
}

interface CloudRecord {
  readonly id: string
  readonly value: string
  /** Answered with the proxy's own addresses, which speak HTTP only. */
  readonly proxied: boolean
}

type Signal = AbortSignal | undefined

const zoneFor = async (api: CloudflareApi, init: CloudflareInit, name: string, signal: Signal): Promise<Zone> => {
  if (init.zoneId !== undefined) return { id: init.zoneId, name: init.zoneId }
  for (const parent of parents(name)) {
    const zones = await api.list('/zones', { name: parent }, signal)
    const zone = zones.find((each) => each['name'] === parent)
    if (typeof zone?.['id'] === 'string') return { id: zone['id'], name: parent }
  }
  throw new ProviderRefusedError(
    `Cloudflare shows this token no zone for ${name}. It needs Zone > DNS > Edit for the zone, or name it with --zone-id.`
  )
}

const pathOf = (zone: string, record?: string): string =>
  `/zones/${encodeURIComponent(zone)}/dns_records${record === undefined ? '' : `/${encodeURIComponent(record)}`}`

const read = async (
  api: CloudflareApi,
  zone: string,
  { name, type }: RecordKey,
  signal: Signal
): Promise<CloudRecord[]> => {
  const records = await api.list(pathOf(zone), { name, type }, signal)
  return records.flatMap((record) => {
    const { id, content } = record
    if (typeof id !== 'string' || typeof content !== 'string') return []
    if (record['type'] !== type || plainName(String(record['name'])) !== plainName(name)) return []
    const value = type === 'TXT' ? unquoted(content) : canonical(type, content)
    return [{ id, value, proxied: record['proxied'] === true }]
  })
}

const change = async (
  api: CloudflareApi,
  init: CloudflareInit,
  edit: RecordEdit,
  { signal, progress }: ProviderOptions
): ReturnType<DnsProvider['change']> => {
  const zone = await zoneFor(api, init, edit.name, signal)
  const add = edit.add.map((value) => canonical(edit.type, value))
  const remove = edit.remove.map((value) => canonical(edit.type, value)).filter((value) => !add.includes(value))
  const records = await read(api, zone.id, edit, signal)
  const before = records.map(({ value }) => value)
  const after = edited(before, { ...edit, add, remove })
  const proxied = records.filter((record) => record.proxied && add.includes(record.value))
  if (sameSet(before, after) && proxied.length === 0) return { kind: 'written', changed: false, values: before }
  // New ones first: the name never goes without.
  for (const value of after.filter((one) => !before.includes(one))) {
    progress?.(`adding ${edit.type} ${value}`)
    await api.create(pathOf(zone.id), bodyOf(edit, value), signal)
  }
  for (const { id, value } of proxied) {
    progress?.(`taking ${value} off the proxy`)
    await api.patch(pathOf(zone.id, id), { proxied: false }, signal)
  }
  for (const { id, value } of records.filter((record) => remove.includes(record.value))) {
    progress?.(`removing ${edit.type} ${value}`)
    await api.remove(pathOf(zone.id, id), signal)
  }
  return { kind: 'written', changed: true, values: after }
}

const bodyOf = ({ name, type, ttlSeconds }: RecordEdit, value: string): object => ({
  type,
  name,
  content: type === 'TXT' ? quoted(value) : value,
  ttl: ttlSeconds,
  ...(type === 'AAAA' && { proxied: false }),
  comment: 'TrustNet'
})
