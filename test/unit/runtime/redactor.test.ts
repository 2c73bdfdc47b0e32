import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readSecret } from '../../../src/node/config/secrets.ts'
import { processTitle, Redactor } from '../../../src/runtime/redactor.ts'
import { ControlHome, runCli } from '../../helpers/control-process.ts'

// Parts of it may stand alone: none of them is a word of a message.
const body = 'AbCdEf0123456789_-ghIJKLmnopQRSTuvwxYZx7Qm2ZpK9vR4sT-jW1nB_8eYuF3hLc6gDaVk5bXo0'
const line = `tnet1${body}`

/** All ways in which a shell, a mail or a terminal may tear the line: in two, in three, in lines of 20. */
const torn = (): string[][] => [
  [line],
  ...[1, 2, 3, 4, 5, 6, 10, 30, 60].map((at) => [line.slice(0, at), line.slice(at)]),
  [line.slice(0, 3), line.slice(3, 30), line.slice(30)],
  line.match(/.{1,20}/g) ?? [],
  [`${line.slice(0, 20)} ${line.slice(20)}`],
  [`${line.slice(0, 20)}\n${line.slice(20)}`],
  [line.slice(1)],
  [line.slice(7)],
  [line.slice(30)],
  [line.slice(-37)],
  [line.slice(-20)],
  [line.slice(-12)],
  [`(${line.slice(-16)}).`],
  ['--invite', line.slice(-30)],
  [`T${line.slice(1)}`],
  [`x${line}`],
  [`https://example.org/?invite=${line}`],
  [`--invite=${line}`],
  ['--invite', line.slice(0, 25), line.slice(25)],
  ['--set', `invite=${line}`]
]

/** No run of 10 characters of it. */
const expectNothingOf = (secret: string, text: string): void => {
  for (let at = 0; at + 10 <= secret.length; at++) expect(text).not.toContain(secret.slice(at, at + 10))
}

describe('an invite on the command line', () => {
  test.each(torn())('is in no message and no title, however it is torn (%#)', async (...words: string[]) => {
    await using home = await ControlHome.create()
    const before = [
      ['join'],
      ['join', '--name', 'hal'],
      ['invite'],
      ['status'],
      ['peers', 'connect'],
      ['config', 'check'],
      ['config', 'show', '--config'],
      ['registry', 'restore'],
      ['install', '--plan', '--invite'],
      ['node', 'start', '--set'],
      ['node', 'start', '--log-level'],
      ['completion'],
      ['help'],
      ['complete', '--', 'join'],
      []
    ]
    for (const command of before) {
      const argv = [...command, ...words]
      const { out, err } = await runCli(argv, { home: home.folder })
      expectNothingOf(body, out + err)
      expectNothingOf(body, processTitle(argv))
    }
  })

  test('leaves the rest of the title as it is', () => {
    expect(processTitle(['join', line.slice(0, 20), line.slice(20), '--name', 'hal'])).toBe(
      'trustnet join INVITE INVITE --name hal'
    )
    expect(processTitle(['node', 'start', '--name', 'hal'])).toBe('trustnet node start --name hal')
  })
})

test('passphrases, tokens and passwords of options, URLs and the environment are in no message', () => {
  const secret = 'correct horse battery staple'
  const env = { TRUSTNET_RECOVERY_PASSPHRASE: secret, CLOUDFLARE_API_TOKEN: 'cf-token-0123456789' }
  const redactor = new Redactor({ argv: ['dns', 'set', '--api-token', 'hunter22', '--seed=0badc0de'], env })
  const clean = redactor.clean(
    `wrong: ${secret}; cf-token-0123456789; hunter22; 0badc0de; https://me:hunter23@example.org/x, /here/https:/me:hunter24@h/x and ${line}`
  )
  expect(clean).toBe(
    'wrong: [secret]; [secret]; [secret]; [secret]; https://me:[secret]@example.org/x, /here/https:/me:[secret]@h/x and [secret]'
  )
})

describe('a secret in the place of its file', () => {
  test.each([
    ['CLOUDFLARE_API_TOKEN', 'abcDEF1234567890abcDEF1234567890abcDEF12'],
    ['TRUSTNET_DNS_TSIG_KEY', 'hmac-sha256:k1:c2VjcmV0/c2VjcmV0c2VjcmV0'],
    ['TRUSTNET_RECOVERY_PASSPHRASE', 'correct-horse-battery-staple']
  ] as const)('of %s is not repeated, and the variable is named', (variable, secret) => {
    const name = `${variable}_FILE`
    const clean = new Redactor({ argv: [], env: { [name]: secret } })
    const of = variable.startsWith('CLOUD')
      ? 'cloudflareToken'
      : variable.endsWith('KEY')
        ? 'tsigKey'
        : 'recoveryPassphrase'
    const message = messageOf(() => readSecret(of, { env: { [name]: secret } }))
    expect(message).toContain(secret)
    expectNothingOf(secret, clean.clean(message))
    expect(clean.clean(message)).toContain(name)
  })

  test('is told from a file that is missing', () => {
    const file = '/root/safe/passphrase-of-the-network'
    const clean = new Redactor({ argv: [], env: { TRUSTNET_RECOVERY_PASSPHRASE_FILE: file } })
    expect(clean.clean(`${file}: it is not there`)).toContain(file)
  })
})

describe('the path of a file that holds a secret', () => {
  const path = '/etc/trustnet/secrets/http-token'
  test.each([
    [['--set', `http.tokenFile=${path}`]],
    [[`--set=http.tokenFile=${path}`]],
    [['--token-file', path]],
    [[`--token-file=${path}`]],
    [['--set', 'http.tokenFile=./http-token']]
  ])('is in messages and titles: %j', (words) => {
    const argv = ['node', 'start', ...words]
    const file = words.at(-1)?.split('=').at(-1) ?? ''
    const text = `http.tokenFile: ${file}: it is not there`
    expect(new Redactor({ argv, env: {} }).clean(text)).toBe(text)
    expect(processTitle(argv)).toBe(`trustnet ${argv.join(' ')}`)
  })

  test.each([
    [['--set', 'http.tokenFile=hunter22']],
    [['--set=http.tokenFile=hunter22']],
    [['--token-file', 'hunter22']]
  ])('is told from a secret in its place: %j', (words) => {
    const argv = ['node', 'start', ...words]
    expect(new Redactor({ argv, env: {} }).clean('hunter22: it is not there')).toBe('[secret]: it is not there')
    expect(processTitle(argv)).not.toContain('hunter22')
  })
})

const messageOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return String(error)
  }
  throw new Error('nothing was refused')
}

test.each(['FrankfurtBackup2026', 'EXAMPLE-ORG-3FA2', 'backups/MyVMs-DC1-Rack7.db', 'z1d633pjn98ft93x'])(
  'a name like %s is in messages and titles',
  (name) => {
    const argv = ['lookup', name]
    expect(new Redactor({ argv, env: {} }).clean(`${name} is not there`)).toContain(name)
    expect(processTitle(argv)).toContain(name)
  }
)

test('the name of a network is spelled as its user likes', () => {
  const argv = ['init', '--network-name', 'AcmeVMs-DC1-B7']
  expect(new Redactor({ argv, env: {} }).clean('Network made: AcmeVMs-DC1-B7')).toContain('AcmeVMs-DC1-B7')
})

test('nearly every end of a secret is found, also of those without a digit', () => {
  const ends = Array.from({ length: 1000 }, () => randomBytes(48).toString('base64url').slice(-37))
  const shown = ends.filter((end) => new Redactor({ argv: ['why', end], env: {} }).clean(end).includes(end))
  expect(shown.length).toBeLessThan(20)
})

test('an ordinary message is left alone', () => {
  const redactor = new Redactor({ argv: ['why', 'hal', '--node', 'root'], env: { HOME: '/root', FOO_TOKEN: 'true' } })
  const text =
    'hal 12D3KooWGRUfgPvBSk3h8u5cQm9YxZc1V8rPpYb4tq1oRCu1bbbb is offline; true: /root/.trustnet, trustnet why hal'
  expect(redactor.clean(text)).toBe(text)
})
