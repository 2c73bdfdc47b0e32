import type { Output } from '../../node/api/control-api.ts'
import { headLine, namedRows } from './named-rows.ts'

/** Lines for /etc/hosts: whole name and name of each address. */
export const hostsText = (view: Output<'peers'>): string => {
  const lines = namedRows(view).flatMap(({ addresses, fqdn, name }) => addresses.map((ip) => `${ip} ${fqdn} ${name}`))
  return [headLine(view), ...lines].join('\n')
}
