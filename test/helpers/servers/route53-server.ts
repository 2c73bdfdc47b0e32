import { type HttpAnswer, type HttpRequest, type HttpServer, startHttp } from './http-server.ts'

interface RecordSet {
  name: string
  type: string
  ttl: string
  values: string[]
  /** Further XML, for sets that are no simple ones. */
  more?: string
}

export interface Route53Server extends HttpServer {
  readonly zones: { id: string; name: string; isPrivate: boolean }[]
  readonly sets: RecordSet[]
  /** The credential scope of each call. */
  readonly signedBy: string[]
  /** How often GetChange says PENDING before INSYNC. */
  pending: number
  /** Runs before a change is judged: someone else's edit. */
  before: (() => void)[]
  readonly instead: HttpAnswer[]
}

const namespace = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
const prefix = '/2013-04-01'

/** Route 53's REST XML API as far as one record set goes: the shapes of its reference. */
export const startRoute53 = async (): Promise<Route53Server> => {
  const state: Omit<Route53Server, 'url' | typeof Symbol.asyncDispose> = {
    zones: [{ id: 'Z08', name: 'example.test.', isPrivate: false }],
    sets: [],
    signedBy: [],
    pending: 0,
    before: [],
    instead: []
  }
  const server = await startHttp((request) => state.instead.shift() ?? answerTo(state, request))
  return Object.assign(state, { url: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() })
}

type State = Omit<Route53Server, 'url' | typeof Symbol.asyncDispose>

export const route53Xml = (status: number, body: string): HttpAnswer => ({
  status,
  type: 'text/xml',
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`
})

export const route53Error = (status: number, code: string, message: string): HttpAnswer =>
  route53Xml(
    status,
    `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`
  )

const answerTo = (state: State, { method, url, headers, body }: HttpRequest): HttpAnswer => {
  const [, scope] = /Credential=([^,]+)/.exec(headers.authorization ?? '') ?? []
  if (scope === undefined) return route53Error(403, 'MissingAuthenticationToken', 'Missing Authentication Token')
  state.signedBy.push(scope)
  const path = url.pathname.replace(prefix, '').replace(/\/$/, '')
  if (path === '/hostedzonesbyname') return zonesAnswer(state, url.searchParams.get('dnsname') ?? '')
  if (path.startsWith('/change/')) {
    return route53Xml(200, `<GetChangeResponse ${namespace}>${changeInfo(state.pending-- > 0)}</GetChangeResponse>`)
  }
  const zone = state.zones.find(({ id }) => path === `/hostedzone/${id}/rrset`)
  if (zone === undefined) return route53Error(404, 'NoSuchHostedZone', `No hosted zone found with ID: ${path}`)
  if (method === 'POST') return changeAnswer(state, body)
  return setsAnswer(state, url)
}

const zonesAnswer = ({ zones }: State, from: string): HttpAnswer => {
  const wanted = zones.filter(({ name }) => name >= from).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const inner = wanted.map(
    ({ id, name, isPrivate }) =>
      `<HostedZone><Id>/hostedzone/${id}</Id><Name>${name}</Name><CallerReference>c</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config><ResourceRecordSetCount>3</ResourceRecordSetCount></HostedZone>`
  )
  return route53Xml(
    200,
    `<ListHostedZonesByNameResponse ${namespace}><HostedZones>${inner.join('')}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>10</MaxItems></ListHostedZonesByNameResponse>`
  )
}

const setXml = ({ name, type, ttl, values, more = '' }: RecordSet): string => {
  const records = values.map((value) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`).join('')
  const simple = values.length === 0 ? '' : `<TTL>${ttl}</TTL><ResourceRecords>${records}</ResourceRecords>`
  return `<ResourceRecordSet><Name>${name}</Name><Type>${type}</Type>${more}${simple}</ResourceRecordSet>`
}

/** The set asked for, else the next one in the zone, as the API does. */
const setsAnswer = ({ sets }: State, { searchParams }: URL): HttpAnswer => {
  const name = `${searchParams.get('name')?.replace(/\.$/, '')}.`
  const found = sets.find((set) => set.name === name && set.type === searchParams.get('type')) ?? {
    name: 'www.example.test.',
    type: 'A',
    ttl: '60',
    values: ['x']
  }
  return route53Xml(
    200,
    `<ListResourceRecordSetsResponse ${namespace}><ResourceRecordSets>${setXml(found)}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListResourceRecordSetsResponse>`
  )
}

const changeInfo = (pending: boolean): string =>
  `<ChangeInfo><Id>/change/C1</Id><Status>${pending ? 'PENDING' : 'INSYNC'}</Status><SubmittedAt>2026-01-01T00:00:00.000Z</SubmittedAt></ChangeInfo>`

const element = (xml: string, name: string): string => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? ''

const all = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((match) => match[1] ?? '')

const plainText = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** All or nothing; DELETE needs the very set that is there, CREATE none. */
const changeAnswer = (state: State, body: string): HttpAnswer => {
  state.before.shift()?.()
  const after = [...state.sets]
  for (const change of all(body, 'Change')) {
    const set: RecordSet = {
      name: `${element(change, 'Name').replace(/\.$/, '')}.`,
      type: element(change, 'Type'),
      ttl: element(change, 'TTL'),
      values: all(change, 'Value').map(plainText)
    }
    const at = after.findIndex(({ name, type }) => name === set.name && type === set.type)
    const same = JSON.stringify(after[at]) === JSON.stringify(set)
    const action = element(change, 'Action')
    if (action === 'DELETE' && same) after.splice(at, 1)
    else if (action === 'CREATE' && at === -1) after.push(set)
    else {
      const what =
        action === 'DELETE'
          ? 'delete resource record set, but the values provided do not match the current values'
          : 'create resource record set, but it already exists'
      return route53Error(400, 'InvalidChangeBatch', `[Tried to ${what}]`)
    }
  }
  state.sets.splice(0, state.sets.length, ...after)
  return route53Xml(
    200,
    `<ChangeResourceRecordSetsResponse ${namespace}>${changeInfo(true)}</ChangeResourceRecordSetsResponse>`
  )
}
