import { isIPv4 } from 'node:net'

/** One server of a database. */
export interface StoreServer {
  /** Name or IPv6 address; undefined: the server is reached by its unix socket. */
  readonly host: string | undefined
  readonly socketFolder: string | undefined
  readonly port: number
}

/** Database that keeps the log of the root, as `root.store` names it. */
export interface StoreTarget {
  /** The text itself; it holds no secret. */
  readonly text: string
  /** A primary and its standbys, in any order. */
  readonly servers: readonly StoreServer[]
  readonly user: string
  readonly database: string
  /** File with the certificates that may have signed the server's; default: those of the system. */
  readonly ca: string | undefined
  /** File with the password; default: the secret of the process. */
  readonly passwordFile: string | undefined
}

const defaultPort = 5432
/** All are dialled at once. */
const maxServers = 8
const parameters = new Set(['sslrootcert', 'passwordfile'])
const form =
  'write postgres://USER@HOST/DATABASE, or USER@HOST,HOST for a primary and its standby, with ?sslrootcert=FILE where their certificates are by an authority of your own and &passwordfile=FILE for a password of its own, or postgres://USER@%2Frun%2Fpostgresql/DATABASE for a unix socket'

/** Scheme, user, servers, and the rest. */
const parts = /^(?<scheme>[a-z]+:\/\/)(?<user>[^/?#@]*@)?(?<servers>[^/?#]*)(?<rest>.*)$/

/** The problem with the text of `root.store`, or where it leads. */
export function storeTarget(text: string): StoreTarget | { readonly problem: string } {
  const { scheme = '', user = '', servers = '', rest = '' } = parts.exec(text)?.groups ?? {}
  const named = servers.split(',')
  if (named.length > maxServers) return { problem: `names more than ${maxServers} servers: ${form}` }
  const targets: StoreTarget[] = []
  for (const server of named) {
    const target = targetOfOne(`${scheme}${user}${server}${rest}`)
    if ('problem' in target) return target
    targets.push(target)
  }
  const [first] = targets
  if (first === undefined) return { problem: `is no address of a database: ${form}` }
  return { ...first, text, servers: targets.flatMap((target) => target.servers) }
}

function targetOfOne(text: string): StoreTarget | { readonly problem: string } {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    return { problem: `is no address of a database: ${form}` }
  }
  if (url.password !== '') {
    return {
      problem: 'has a password in it: put that into TRUSTNET_ROOT_STORE_PASSWORD_FILE, or the variable without _FILE'
    }
  }
  const host = plain(url.hostname)
  const database = plain(url.pathname.slice(1))
  const user = plain(url.username)
  if (host === '' || database === '' || user === '' || database.includes('/')) {
    return { problem: `lacks a user, a host or a database: ${form}` }
  }
  if (isIPv4(host)) return { problem: `names the IPv4 address ${host}: the network speaks IPv6 alone` }
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name))
  if (unknown !== undefined) return { problem: `has the parameter ${unknown}, which is not known: ${form}` }
  const isSocket = host.startsWith('/')
  const server = {
    host: isSocket ? undefined : host.replaceAll(/[[\]]/g, ''),
    socketFolder: isSocket ? host : undefined,
    port: url.port === '' ? defaultPort : Number(url.port)
  }
  const file = (name: string): string | undefined => url.searchParams.get(name) ?? undefined
  return { text, servers: [server], user, database, ca: file('sslrootcert'), passwordFile: file('passwordfile') }
}

const plain = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
