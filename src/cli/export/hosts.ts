import type { Output } from '../../node/api/control-api.ts'
import type { AddressesOf } from '../../node/names/named-addresses.ts'
import { headLine, namedRows, namesOf } from './named-rows.ts'

/** Lines for /etc/hosts: whole name and name of each address. */
export const hostsText = (view: Output<'peers'>, addressesOf: AddressesOf): string => {
  const lines = namedRows(view, addressesOf).flatMap((member) =>
    member.addresses.map((ip) => `${ip} ${namesOf(member)}`)
  )
  return [headLine(view), ...lines].join('\n')
}
