import type { Ipv6Facts, OsFacts } from '../model/facts.ts'

/** Families that keep their network settings in the same place. */
const families: readonly { readonly ids: readonly string[]; readonly steps: string }[] = [
  {
    ids: ['ubuntu'],
    steps: 'in /etc/netplan/*.yaml give the interface `dhcp6: true` and `accept-ra: true`, then: netplan apply'
  },
  {
    ids: ['debian'],
    steps: 'in /etc/network/interfaces give the interface `iface eth0 inet6 auto`, then: systemctl restart networking'
  },
  {
    ids: ['fedora', 'rhel', 'centos', 'rocky', 'almalinux', 'suse', 'opensuse'],
    steps: 'nmcli connection modify CONNECTION ipv6.method auto, then: nmcli connection up CONNECTION'
  },
  {
    ids: ['alpine'],
    steps: 'in /etc/network/interfaces give the interface `iface eth0 inet6 auto`, then: rc-service networking restart'
  },
  {
    ids: ['arch'],
    steps: 'in /etc/systemd/network/*.network set `IPv6AcceptRA=yes`, then: systemctl restart systemd-networkd'
  }
]

/** The client that asks for one, in the way of the distribution. */
const dhcpAdvice = (own: readonly string[], device: string): string => {
  if (own.includes('ubuntu')) return `In /etc/netplan/*.yaml give ${device} \`dhcp6: true\`, then: netplan apply`
  if (own.some((id) => ['fedora', 'rhel', 'centos', 'rocky', 'almalinux', 'suse', 'opensuse'].includes(id)))
    return 'nmcli connection modify CONNECTION ipv6.method dhcp, then: nmcli connection up CONNECTION'
  if (own.includes('arch')) return 'In /etc/systemd/network/*.network set `DHCP=ipv6`, then: networkctl reload'
  return `In /etc/network/interfaces give it \`iface ${device} inet6 dhcp\`, then: ifup --force ${device} (or once: dhclient -6 ${device})`
}

/** Advice on how IPv6 comes to this machine, in the way of its distribution. */
export const enableAdvice = (ipv6: Ipv6Facts, os: Pick<OsFacts, 'id' | 'like'>): string => {
  if (!ipv6.kernel)
    return 'remove ipv6.disable=1 from the kernel command line (/etc/default/grub, then update-grub) and reboot'
  if (ipv6.disabled.length > 0 && ipv6.writable) return 'run this again with --ipv6-auto-enable'
  if (ipv6.disabled.length > 0) {
    return 'the kernel settings are read-only here: give the container IPv6 from outside (docker: --sysctl net.ipv6.conf.all.disable_ipv6=0)'
  }
  const { gateway } = ipv6
  if (gateway !== null) {
    // A router that offers no prefix has said in the same message that a server gives the addresses out.
    const { device } = gateway
    return (
      `a router answers (${gateway.via} on ${device}) but offers no prefix: addresses come by DHCPv6 here. ` +
      `${dhcpAdvice([os.id, ...os.like], device)}; an address by hand: ip -6 addr add ADDRESS/64 dev ${device}`
    )
  }
  const own = [os.id, ...os.like]
  const steps = families.find(({ ids }) => ids.some((id) => own.includes(id)))?.steps
  return `${steps ?? 'give an interface a global or unique local IPv6 address'}; an address by hand: ip -6 addr add ADDRESS/64 dev IFACE`
}
