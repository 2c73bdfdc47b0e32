import type { Output } from '../../node/api/control-api.ts'
import { headLine, namedRows } from './named-rows.ts'

/** Hosts of OpenSSH's client configuration. The port is that of a service `ssh`, where the member announces one. */
export const sshConfigText = (view: Output<'peers'>): string => {
  const hosts = namedRows(view).map(({ row, addresses: [ip], fqdn, name }) => {
    const ssh = row.services.find((service) => service.name === 'ssh' && service.protocol === 'tcp')
    const port = ssh === undefined ? [] : [`  Port ${ssh.port}`]
    return [`Host ${name} ${fqdn}`, `  HostName ${ip}`, `  HostKeyAlias ${fqdn}`, ...port].join('\n')
  })
  return [headLine(view), ...hosts].join('\n')
}
