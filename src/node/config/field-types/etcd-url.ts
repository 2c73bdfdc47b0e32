import { isIPv4, isIPv6 } from 'node:net'

/** Members of an etcd that keeps the log of the root, as `root.store` names them. */
export interface EtcdTarget {
  /** The text itself; it holds no secret. */
  readonly text: string
  readonly endpoints: readonly EtcdEndpoint[]
  /** File with the certificates that may have signed those of the members; default: those of the system. */
  readonly ca: string | undefined
  /** Files with the certificate by which this process is known, and with its key. */
  readonly certificate: string
  readonly key: string
}

export interface EtcdEndpoint {
  /** Name or IPv6 address. */
  readonly host: string
  readonly port: number
}

const scheme = 'etcd+https://'
const defaultPort = 2379
/** Members of a cluster are three or five. */
const maxEndpoints = 16
const form = `write ${scheme}HOST,HOST,HOST?cert=FILE&key=FILE, with &cacert=FILE where their certificates are by an authority of your own`

/** Text that means an etcd, rightly written or not. */
export const isEtcd = (text: string): boolean => text.startsWith('etcd')

/** The problem with the text of `root.store`, or where it leads. */
export function etcdTarget(text: string): EtcdTarget | { readonly problem: string } {
  const parts = /^etcd\+https:\/\/([^/?#]+)\/?(?:\?([^#]*))?$/.exec(text)
  if (parts === null) return { problem: `is no address of an etcd: ${form}` }
  const [, authority = '', query = ''] = parts
  if (authority.includes('@')) {
    return { problem: `has a user in it: a certificate and its key say who this process is: ${form}` }
  }
  const endpoints = authority.split(',').map(endpointOf)
  const wrong = authority.split(',').find((_, i) => endpoints[i] === undefined)
  if (wrong !== undefined) return { problem: problemOf(wrong) }
  if (endpoints.length > maxEndpoints) return { problem: `names more than ${maxEndpoints} members` }
  return withFiles(
    text,
    endpoints.filter((each) => each !== undefined),
    new URLSearchParams(query)
  )
}

function withFiles(text: string, endpoints: EtcdEndpoint[], files: URLSearchParams): ReturnType<typeof etcdTarget> {
  const unknown = [...files.keys()].find((name) => !['cacert', 'cert', 'key'].includes(name))
  if (unknown !== undefined) return { problem: `has the parameter ${unknown}, which is not known: ${form}` }
  const [certificate, key] = [files.get('cert'), files.get('key')]
  if (!certificate || !key) return { problem: `lacks the files of a client certificate: ${form}` }
  return { text, endpoints, ca: files.get('cacert') ?? undefined, certificate, key }
}

/** undefined: it is none. */
function endpointOf(text: string): EtcdEndpoint | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) return undefined
  const [, address, name, digits] = parts
  const host = address ?? name ?? ''
  const port = digits === undefined ? defaultPort : Number(digits)
  if (port < 1 || port > 65_535 || isIPv4(host) || (address !== undefined && !isIPv6(address))) return undefined
  return { host, port }
}

const problemOf = (endpoint: string): string => {
  const host = endpoint.replace(/:\d+$/, '')
  return isIPv4(host)
    ? `names the IPv4 address ${host}: the network speaks IPv6 alone`
    : `names '${endpoint}', which is no HOST:PORT or [IPv6]:PORT: ${form}`
}
