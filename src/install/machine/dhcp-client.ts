import { accessSync, constants } from 'node:fs'
import type { CommandAction } from '../model/action.ts'

/** Folders of the system's programs, whatever PATH says. */
const folders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin']
/** A server answers within a second or two; a client asks a few times. */
const leaseMs = 45_000

/** The command that starts a client on one interface, where it goes on in the background, and the one that gives the address back and ends it. */
interface Commands {
  readonly run: readonly string[]
  readonly end: string
  /** Tells by its exit code whether the client runs. */
  readonly runs: string
}

const clients: Readonly<Record<string, (device: string) => Commands>> = {
  dhclient: (device) => {
    const files = `-pf /run/trustnet-dhclient6-${device}.pid -lf /var/lib/dhcp/trustnet-${device}.leases`
    return {
      run: ['dhclient', '-6', '-1', ...files.split(' '), device],
      end: `dhclient -6 -r ${files} ${device}`,
      runs: `kill -0 "$(cat /run/trustnet-dhclient6-${device}.pid)"`
    }
  },
  // It would write the name servers of this interface alone into /etc/resolv.conf, and none when the address is given back.
  dhcpcd: (device) => ({
    run: ['dhcpcd', '-6', '--nohook', 'resolv.conf', '--waitip=6', '--timeout', '30', device],
    end: `dhcpcd -6 --release ${device}`,
    runs: `kill -0 "$(cat "$(dhcpcd -6 -P ${device})")"`
  })
}

/** Starts the DHCPv6 client that is there on an interface; undefined: none of those that are known here is. */
export const startDhcp = (
  device: string,
  isThere: (program: string) => boolean = isInstalled
): CommandAction | undefined => {
  const found = Object.entries(clients).find(([program]) => isThere(program))
  if (found === undefined) return undefined
  const [program, commands] = found
  const { run, end, runs } = commands(device)
  // After a restart of the machine there is none to end.
  const undo = ['sh', '-c', `${end} || true`]
  return {
    kind: 'command',
    what: `${program} asks for an address by DHCPv6 on ${device}`,
    run,
    undo,
    isDone: ['sh', '-c', runs],
    timeoutMs: leaseMs
  }
}

const isInstalled = (program: string): boolean =>
  folders.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
