import type { Action } from './action.ts'
import type { Answers } from './answers.ts'
import { type Check, fail, pass } from './check.ts'
import type { Install } from './deployment.ts'
import type { MachineFacts } from './facts.ts'

const portStep = 453
/** Address of a machine that has no other (RFC 7600): resolved uses no link without one, and nothing is sent from it. */
const linkAddress = '192.0.0.8/32'
/** Address of the stub of systemd-resolved, which is in /etc/resolv.conf where programs ask it. */
const stubs: ReadonlySet<string> = new Set(['127.0.0.53', '127.0.0.54'])

/** Address at which names of members are answered: on loopback, at a port of its own beside the one of the network. */
export const namesListen = (port: number): string =>
  `[::1]:${port + portStep > 65_535 ? port - portStep : port + portStep}`

export const namesValues = ({ names, port }: Answers): Record<string, string | undefined> => ({
  'dns.listen': names === true ? namesListen(port) : undefined
})

/** True where programs of this machine ask systemd-resolved. */
export const asksResolved = ({ resolvers, systemd }: Pick<MachineFacts, 'resolvers' | 'systemd'>): boolean =>
  systemd && resolvers.some((resolver) => stubs.has(resolver))

/** Nothing where no names are wanted. */
export const namesCheck = (facts: Pick<MachineFacts, 'resolvers' | 'systemd'>, { names }: Answers): Check[] => {
  if (names !== true) return []
  if (asksResolved(facts)) return [pass('names', 'Names', 'systemd-resolved will ask this node for its domain')]
  const reason = '/etc/resolv.conf does not lead to systemd-resolved, which alone can ask this node for one domain'
  return [fail('names', 'Names', reason, 'leave --names out, and set dns.listen for programs that ask it themselves')]
}

const unitOf = (name: string): string => `trustnet-${name}-names.service`

/** The unit that leads systemd-resolved here, and takes it back; it is there for as long as the node runs. */
export const namesActions = ({ answers, layout }: Install): Action[] => {
  if (answers.names !== true) return []
  const unit = unitOf(answers.name)
  return [
    {
      kind: 'command',
      what: `systemd forgets ${unit} once it is removed`,
      run: ['systemctl', 'daemon-reload'],
      undo: ['systemctl', 'daemon-reload']
    },
    {
      kind: 'file',
      path: `/etc/systemd/system/${unit}`,
      text: unitText(answers, layout.unit),
      mode: 0o644,
      owner: 'root'
    },
    { kind: 'command', what: `systemd knows ${unit}`, run: ['systemctl', 'daemon-reload'] },
    {
      kind: 'command',
      what: `names of ${answers.domain} are asked of this node`,
      run: ['systemctl', 'enable', '--quiet', '--now', unit],
      undo: ['systemctl', 'disable', '--quiet', '--now', unit],
      isDone: ['systemctl', 'is-active', '--quiet', unit]
    }
  ]
}

/** A link that carries nothing: resolved knows servers by link, so nothing but this domain is asked here. */
const unitText = ({ name, domain, port }: Answers, nodeUnit: string): string => {
  const link = `tnames-${port}`
  const steps = [
    `ip link show ${link} >/dev/null 2>&1 || ip link add ${link} type dummy 2>/dev/null || ip link add ${link} type veth peer name ${link}p`,
    `! ip link show ${link}p >/dev/null 2>&1 || ip link set ${link}p up`,
    `ip link set ${link} up`,
    `ip address replace ${linkAddress} dev ${link}`,
    `resolvectl dns ${link} "${namesListen(port)}"`,
    `resolvectl domain ${link} "~${domain}"`,
    ...['default-route', 'llmnr', 'mdns', 'dnssec', 'dnsovertls'].map((setting) => `resolvectl ${setting} ${link} no`)
  ]
  return `[Unit]
Description=Names of ${domain} for systemd-resolved, by TrustNet node ${name}
Documentation=man:trustnet(1) man:resolvectl(1)
BindsTo=${nodeUnit}
After=${nodeUnit} systemd-resolved.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec '${steps.join('; ')}'
ExecStopPost=-/bin/sh -c 'ip link delete ${link}'
# systemd-resolved may begin anew in the middle of it.
Restart=on-failure
RestartSec=3

[Install]
WantedBy=${nodeUnit}
`
}
