import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostNetwork } from './host-network.ts'

/** A real authoritative server (Knot) for one zone on one host. Resolves when it answers. */
export async function startNameServer(
  network: HostNetwork,
  name: string,
  zone: string,
  records: string[],
  listen?: string[]
): Promise<void> {
  const { address, folder } = network.host(name)
  const lines = [
    `$ORIGIN ${zone}.`,
    '$TTL 30',
    '@ IN SOA ns1 hostmaster 1 3600 600 86400 15',
    '@ IN NS ns1',
    `ns1 IN AAAA ${address}`,
    ...records
  ]
  writeFileSync(join(folder, 'zone'), `${lines.join('\n')}\n`)
  writeFileSync(
    join(folder, 'knot.conf'),
    `server:
  rundir: "${folder}"
  user: root:root
  listen: [ ${(listen ?? [`${address}@53`]).join(', ')} ]
log:
  - target: stderr
    any: info
database:
  storage: "${folder}"
zone:
  - domain: ${zone}
    storage: "${folder}"
    file: zone
`
  )
  network.start(name, 'knot', ['knotd', '-c', join(folder, 'knot.conf')])
  const { namespace } = network.host(name)
  for (let tries = 0; tries < 100; tries++) {
    try {
      execFileSync('ip', ['netns', 'exec', namespace, 'kdig', `@${address}`, zone, 'SOA', '+short', '+timeout=1'], {
        stdio: 'pipe'
      })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('the name server does not answer')
}
