import type { Output } from '../../node/api/control-api.ts'
import type { AddressesOf } from '../../node/names/named-addresses.ts'
import { headLine, namedRows, namesOf } from './named-rows.ts'

/** Hosts of OpenSSH's client configuration. The port is that of a service `ssh`, where the member announces one. */
export const sshConfigText = (view: Output<'peers'>, addressesOf: AddressesOf): string => {
  const hosts = namedRows(view, addressesOf).map((member) => {
    const {
      row,
      fqdn,
      addresses: [ip]
    } = member
    const ssh = row.services.find((service) => service.name === 'ssh' && service.protocol === 'tcp')
    const port = ssh === undefined ? [] : [`  Port ${ssh.port}`]
    return [`Host ${namesOf(member)}`, `  HostName ${ip}`, `  HostKeyAlias ${fqdn}`, ...port].join('\n')
  })
  return [headLine(view), ...hosts].join('\n')
}
