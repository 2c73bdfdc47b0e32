import { type HttpAnswer, type HttpRequest, type HttpServer, startHttp } from './http-server.ts'

interface Stored {
  id: string
  type: string
  name: string
  content: string
  ttl: number
  proxied: boolean
}

export interface CloudflareServer extends HttpServer {
  readonly token: string
  readonly zone: string
  /** Records of the zone, as stored. */
  readonly records: Stored[]
  /** Method and path of what was written. */
  readonly writes: string[]
  /** Answers these instead, in turn. */
  readonly instead: HttpAnswer[]
  /** Entries of a page at most. */
  pageSize: number
}

const zoneId = '023e105f4ecef8ad9ca31a8372d0c353'

/** Cloudflare's v4 API as far as records of one zone go: the shapes of its documentation. */
export const startCloudflare = async (zone = 'example.test'): Promise<CloudflareServer> => {
  const state = {
    zone,
    token: 'aB3_-token',
    records: [] as Stored[],
    writes: [] as string[],
    instead: [] as HttpAnswer[],
    pageSize: 100
  }
  const server = await startHttp((request) => state.instead.shift() ?? answerTo(state, request))
  return Object.assign(state, {
    url: `${server.url}/client/v4`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  })
}

type State = Pick<CloudflareServer, 'token' | 'zone' | 'records' | 'writes' | 'pageSize'>

const json = (status: number, body: object): HttpAnswer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body)
})

const failure = (status: number, code: number, message: string): HttpAnswer =>
  json(status, { success: false, errors: [{ code, message }], messages: [], result: null })

const success = (result: unknown, more: object = {}): HttpAnswer =>
  json(200, { success: true, errors: [], messages: [], result, ...more })

const page = (url: URL, all: readonly object[], most: number): HttpAnswer => {
  const number = Number(url.searchParams.get('page') ?? 1)
  const size = Math.min(most, Number(url.searchParams.get('per_page') ?? 20))
  const result = all.slice((number - 1) * size, number * size)
  const info = {
    page: number,
    per_page: size,
    count: result.length,
    total_count: all.length,
    total_pages: Math.ceil(all.length / size)
  }
  return success(result, { result_info: info })
}

const answerTo = (state: State, { method, url, headers, body }: HttpRequest): HttpAnswer => {
  if (headers.authorization !== `Bearer ${state.token}`) return failure(403, 9109, 'Invalid access token')
  const path = url.pathname.replace('/client/v4', '')
  const { searchParams } = url
  if (method === 'GET' && path === '/zones') {
    return page(
      url,
      [{ id: zoneId, name: state.zone, status: 'active' }].filter(({ name }) => name === searchParams.get('name')),
      state.pageSize
    )
  }
  const [, id] = new RegExp(`^/zones/${zoneId}/dns_records(?:/(\\w+))?$`).exec(path) ?? []
  if (!path.startsWith(`/zones/${zoneId}/dns_records`)) return failure(404, 7003, `Could not route to ${path}`)
  if (method === 'GET') {
    const fits = ({ type, name }: Stored): boolean =>
      type === searchParams.get('type') && name === searchParams.get('name')
    return page(url, state.records.filter(fits), state.pageSize)
  }
  state.writes.push(`${method} ${body}`)
  return write(state, method, id, body)
}

const write = ({ records }: State, method: string, id: string | undefined, body: string): HttpAnswer => {
  if (method === 'POST') {
    const wanted: Stored = { ...JSON.parse(body), id: `rec${records.length + 1}x${Math.trunc(performance.now())}` }
    const same = ({ type, name, content }: Stored): boolean =>
      type === wanted.type && name === wanted.name && content === wanted.content
    if (records.some(same)) return failure(400, 81_058, 'An identical record already exists.')
    records.push(wanted)
    return success(wanted)
  }
  const at = records.findIndex((record) => record.id === id)
  const found = records[at]
  if (found === undefined) return failure(404, 81_044, 'Record does not exist.')
  if (method === 'DELETE') records.splice(at, 1)
  else Object.assign(found, JSON.parse(body))
  return success({ id })
}
