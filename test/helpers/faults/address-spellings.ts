/** Spellings of the same address, which must mean the same wherever one is taken; `ip` stands for it in each. */
export const ip = 'fd10:aaaa:1::2'
export const sameIp = ['FD10:AAAA:1::2', 'fd10:aaaa:1:0:0:0:0:2', 'fd10:aaaa:1:0000::0002', 'fd10:aaaa:1::0:0.0.0.2']

/** What no key and no flag may take for the address of a peer: each must be refused when it is read. */
export const badIps = [
  '192.0.2.1',
  '::ffff:192.0.2.1',
  '::ffff:c000:201',
  '::192.0.2.1',
  'fe80::1',
  'fe80::1%eth0',
  'fd10:aaaa:1::2%eth0',
  'ff02::1',
  '64:ff9b::1',
  '2002:c000:201::1',
  '2001:0:4136:e378::1',
  '999.1.1.1',
  'fd10::aaaa::1',
  'fd10:aaaa:1::2::',
  '[fd10:aaaa:1::2]',
  'example.org',
  ':::',
  '1:2:3:4:5:6:7:8:9',
  'fd10:aaaa:1::2/64'
]

export const badResolvers = [
  '224.0.0.1',
  '239.255.255.250:53',
  '240.0.0.1',
  '255.255.255.255',
  '0.1.2.3',
  '999.1.1.1',
  '1.1.1',
  '01.1.1.1',
  '0.0.0.0',
  '[::1]:99999',
  '[::1]:0',
  '[::1]:0053',
  '192.0.2.53:053',
  '[::1]:',
  '[192.0.2.53]:53',
  '192.0.2.53:0',
  'fe80::53',
  '[fe80::53]:53',
  'fe80::53%',
  'fe80::53%a/b',
  'fe80::53%2',
  'fe80::53%25',
  'fe80::53%2525',
  'fe80::53%an-interface-of-16',
  'fe80::53%eth0%eth1',
  '2001:db8::53%eth0',
  'ff02::fb',
  '::',
  '::ffff:192.0.2.53',
  'dns.example.org',
  'https://dns.example.org/'
]
