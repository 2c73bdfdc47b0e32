import { recordTtlSeconds, zoneLine } from '../records.ts'
import type { Instructions, ProviderName, RecordEdit, Steps } from './provider.ts'

/**
 * Instructions for an operator who carries an edit out by hand. `zone` is the domain that the zone is for where it is known; the record's name is
 * then also told relative to it, as web forms want it.
 */
export const instructionsFor = (
  edit: RecordEdit,
  options: { provider?: ProviderName; zone?: string } = {}
): Instructions => {
  const line = (value: string): string => zoneLine({ ...edit, value })
  const all = {
    route53: route53(edit, options.zone),
    cloudflare: cloudflare(edit, options.zone),
    rfc2136: rfc2136(edit)
  }
  const { provider = 'manual' } = options
  return {
    add: edit.add.map(line),
    remove: edit.remove.map(line),
    how: provider === 'manual' ? [all.route53, all.cloudflare, anywhere(edit, options.zone)] : [all[provider]],
    check: `dig +noall +answer ${edit.type} ${edit.name}`
  }
}

/** The name as a form inside the zone wants it: `tnr`. */
const label = ({ name }: RecordEdit, zone: string | undefined): string =>
  zone !== undefined && name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : (name.split('.')[0] ?? name)

/** `example.org` of `tnr.example.org`, until the zone is known. */
const zoneOf = ({ name }: RecordEdit, zone: string | undefined): string => zone ?? name.split('.').slice(1).join('.')

const list = (values: readonly string[]): string => values.join(', ')

const route53 = (edit: RecordEdit, zone: string | undefined): Steps => ({
  title: 'Amazon Route 53',
  steps: [
    `Console: Route 53 > Hosted zones > ${zoneOf(edit, zone)}; open the record ${label(edit, zone)} of type ${edit.type}, or Create record`,
    ...(edit.add.length > 0
      ? [
          `Record name ${label(edit, zone)}, type ${edit.type}, TTL ${edit.ttlSeconds}, one value a line; add: ${list(edit.add)}`
        ]
      : []),
    ...(edit.remove.length > 0 ? [`Delete these values, and no others: ${list(edit.remove)}`] : []),
    'Save; it is at all name servers within a minute',
    'Or let it be written: trustnet dns set --provider route53 --aws-profile NAME'
  ]
})

const cloudflare = (edit: RecordEdit, zone: string | undefined): Steps => ({
  title: 'Cloudflare',
  steps: [
    `Dashboard: ${zoneOf(edit, zone)} > DNS > Records`,
    ...edit.add.map(
      (value) =>
        `Add record: type ${edit.type}, name ${label(edit, zone)}, content ${value}, TTL ${minutes(edit)}, ${proxy(edit)}`
    ),
    ...(edit.remove.length > 0
      ? [`Delete the records ${label(edit, zone)} with ${list(edit.remove)}, and no others`]
      : []),
    'Or let it be written: CLOUDFLARE_API_TOKEN_FILE=FILE trustnet dns set --provider cloudflare'
  ]
})

const minutes = ({ ttlSeconds }: RecordEdit): string =>
  ttlSeconds % 60 === 0 ? `${ttlSeconds / 60} min` : `${ttlSeconds} s`

/** The proxy answers with its own addresses and speaks HTTP only. */
const proxy = ({ type }: RecordEdit): string =>
  type === 'AAAA' ? 'Proxy status "DNS only" (a grey cloud: the proxy speaks HTTP only)' : 'as it is'

const rfc2136 = (edit: RecordEdit): Steps => ({
  title: 'Any server that takes dynamic updates (BIND, Knot, PowerDNS)',
  steps: [
    "nsupdate -k KEYFILE <<'END'",
    ...edit.remove.map((value) => `update delete ${edit.name}. ${edit.type} ${data(edit, value)}`),
    ...edit.add.map((value) => `update add ${edit.name}. ${edit.ttlSeconds} ${edit.type} ${data(edit, value)}`),
    'send',
    'END',
    'Or let it be written: TRUSTNET_DNS_TSIG_KEY_FILE=KEYFILE trustnet dns set --provider rfc2136 --server ADDRESS'
  ]
})

const data = ({ type }: RecordEdit, value: string): string => (type === 'TXT' ? JSON.stringify(value) : value)

const anywhere = (edit: RecordEdit, zone: string | undefined): Steps => ({
  title: 'Any other provider',
  steps: [
    `Open the zone ${zoneOf(edit, zone)} where your domain's name servers are`,
    ...(edit.add.length > 0
      ? [
          `Add: name ${label(edit, zone)}, type ${edit.type}, TTL ${edit.ttlSeconds || recordTtlSeconds}, one record per value: ${list(edit.add)}`
        ]
      : []),
    ...(edit.remove.length > 0
      ? [`Delete: name ${label(edit, zone)}, type ${edit.type}, values ${list(edit.remove)}`]
      : []),
    'Leave other values of the name as they are, and save'
  ]
})
