import { expect, test } from 'vitest'
import { failureText } from '../../../src/node/errors.ts'
import { inWords } from '../../../src/runtime/files/system-error.ts'

test.each([
  [
    'connect EADDRNOTAVAIL 2001:db8::1:8000 - Local (:::0)',
    '2001:db8::1:8000 cannot be reached: no IPv6 address of this machine leads there; look at `ip -6 address` and `ip -6 route`'
  ],
  ['listen EADDRNOTAVAIL: fd10::5:8000', /fd10::5:8000 cannot be listened on: this machine does not have the address/],
  ['connect ENETUNREACH 2001:db8::1:8000', /cannot be reached: no way leads there/],
  ['connect ECONNREFUSED ::1:9000', '::1:9000 cannot be reached: nobody listens there'],
  ["EACCES: permission denied, open '/nobody/x'", /\/nobody\/x cannot be opened: this user has no right to/],
  ['a session ended', 'a session ended']
])('%s is said in words', (raw, words) => {
  if (typeof words === 'string') expect(inWords(raw)).toBe(words)
  else expect(inWords(raw)).toMatch(words)
  expect(inWords(raw)).not.toMatch(/\bE[A-Z]{4,}\b|Local/)
})

test('a dial that failed is told in words, wherever its failure is shown', () => {
  const raw = new Error('connect EADDRNOTAVAIL 2001:db8::1:8000 - Local (:::0)')
  expect(failureText('/ip6/2001:db8::1/tcp/8000', raw)).not.toMatch(/EADDR|Local/)
})
