import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { dialText, failureText, onlyDialText } from '../../../src/node/errors.ts'
import { inWords } from '../../../src/runtime/files/system-error.ts'

test.each([
  [
    'connect EADDRNOTAVAIL 2001:db8::1:8000 - Local (:::0)',
    '2001:db8::1:8000 cannot be reached: no IPv6 address of this machine leads there; look at `ip -6 address` and `ip -6 route`'
  ],
  ['listen EADDRNOTAVAIL: fd10::5:8000', /fd10::5:8000 cannot be listened on: this machine does not have the address/],
  [
    'listen EADDRNOTAVAIL: address not available fd10::5:8000',
    'fd10::5:8000 cannot be listened on: this machine does not have the address; look at `ip -6 address`'
  ],
  ['listen EADDRINUSE: address already in use ::1:80', /^::1:80 cannot be listened on: the address is taken; stop/],
  ['listen EACCES: permission denied :::80', /^:::80 cannot be listened on: this user may not take a port below 1024/],
  ['listen EACCES: permission denied /run/x.sock', /^\/run\/x\.sock cannot be listened on: this user has no right/],
  ['listen EAFNOSUPPORT: address family not supported', /this machine has no IPv6; look at trustnet doctor/],
  ['connect ENETUNREACH 2001:db8::1:8000', /cannot be reached: no way leads there/],
  ['connect ECONNREFUSED ::1:9000', '::1:9000 cannot be reached: nobody listens there'],
  ["EACCES: permission denied, open '/nobody/x'", /\/nobody\/x cannot be opened: this user has no right to/],
  ['ENOENT: process.cwd failed with error no such file or directory, uv_cwd', /The folder in which this was called/],
  ['x: The operation was aborted due to timeout', 'x: it did not answer in time'],
  ['spawn tar ENOENT', 'tar cannot be run: this machine does not have that program; install it'],
  ['spawn /opt/x EACCES', /^\/opt\/x cannot be run: this user has no right to/],
  ['spawn tar EAGAIN', /^tar cannot be run: the system has no room for it now; try again/],
  ["ESTALE: stale file handle, open '/mnt/x'", /^\/mnt\/x cannot be opened: .*; mount it again$/],
  ['a session ended', 'a session ended']
])('%s is said in words', (raw, words) => {
  if (typeof words === 'string') expect(inWords(raw)).toBe(words)
  else expect(inWords(raw)).toMatch(words)
  expect(inWords(raw)).not.toMatch(/\bE[A-Z]{4,}\b|Local/)
})

test.each(Object.keys(constants.errno))(
  '%s, of whatever call, is said without its code, and with what to do',
  (code) => {
    const said = inWords(`${code}: words of the system, open '/none/x'`)
    expect(said).not.toContain(code)
    expect(said).toMatch(/^\/none\/x cannot be opened: \S/)
  }
)

test.each([
  ['file is not a database', /^The store is damaged, .*registry verify/],
  ['database disk image is malformed', /^The store is damaged, .*restores its newest backup/],
  ['disk I/O error', /dmesg/],
  ['database or disk is full', /df -h/]
])('%s, which SQLite says, names the store and what to do', (raw, words) => {
  expect(inWords(raw)).toMatch(words)
  expect(inWords(`x.db is damaged (${raw}): move it away`)).toContain(raw)
})

test.each(['a', 'EAA: ', "EAA: a, open '", 'connect EAA x - Local ('])(
  '%j, however often, takes time in proportion',
  (piece) => {
    const timeOf = (chars: number): number => {
      const text = piece.repeat(chars / piece.length)
      const times = Array.from({ length: 3 }, () => {
        const from = process.cpuUsage()
        inWords(text)
        const { user, system } = process.cpuUsage(from)
        return user + system
      })
      return Math.min(...times)
    }
    // In proportion it is 16 times as much, by the square 256 times.
    expect(timeOf(64_000)).toBeLessThan(Math.max(1_000, timeOf(4_000)) * 64)
  }
)

test('a file that two name is named once', () => {
  expect(inWords('the key: /x/y: cannot be read: /x/y cannot be opened: it is not there')).toBe(
    'the key: /x/y: cannot be read: it is not there'
  )
})

test('a dial that failed is told in words, wherever its failure is shown', () => {
  const raw = new Error('connect EADDRNOTAVAIL 2001:db8::1:8000 - Local (:::0)')
  expect(failureText('/ip6/2001:db8::1/tcp/8000', raw)).not.toMatch(/EADDR|Local/)
  expect(failureText('/ip6/::1/tcp/9', new Error('connection error ::1:9: connect ECONNREFUSED ::1:9'))).toBe(
    '/ip6/::1/tcp/9: nobody listens there'
  )
  const refused = new Error('connect ECONNREFUSED ::1:9000')
  const said = '::1:9000 cannot be reached: nobody listens there'
  expect(dialText(refused)).toBe(said)
  expect(dialText(new Error(`connection error ::1:9000: ${refused.message}`))).toBe(said)
  expect(onlyDialText(new Error(`connection error ::1:9000: ${refused.message}`))).toBe('nobody listens there')
  expect(onlyDialText(new AggregateError([refused, raw], 'All'))).toMatch(/^::1:9000 cannot be reached: .*; 2001/)
  expect(dialText(new AggregateError([refused, raw, refused], 'All multiaddr dials failed'))).toBe(
    `${said}; 2001:db8::1:8000 cannot be reached: no IPv6 address of this machine leads there; look at \`ip -6 address\` and \`ip -6 route\``
  )
  expect(dialText(new AggregateError([], 'nothing was dialled'))).toBe('nothing was dialled')
  expect(dialText('hung up')).toBe('hung up')
})
