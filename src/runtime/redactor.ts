/** Whatever begins like an invite line, wherever it stands. */
const invite = /tnet\d[\w-]{4,}/g
const inviteStart = /tnet\d/
/** The user part of a URL may hold a password; taken for a path, it has one slash. */
const urlPassword = /(:\/{1,2}[^/\s:@]*:)[^/\s@]+(?=@)/g
const secretName = /pass|token|secret|seed|private|credential|tsig/i
/** Options that take a secret or the file that holds it. */
const secretOrFile = /^--invite$/
const isFile = /^-$|\/|\.\w{1,8}$/
const secretVariable = /(?:INVITE|PASSPHRASE|PASSWORD|TOKEN|SECRET|SECRET_ACCESS_KEY|TSIG_KEY|PRIVATE_KEY)$/
/** A secret in the place of its file: nothing in it says that it is a path. */
const secretFileVariable = new RegExp(secretVariable.source.replace(/\$$/, '_FILE$'))
/** A name of what holds the path of a secret, such as `http.tokenFile` and `--token-file`. */
const fileName = /file$/i
const path = /^(?:\/|\.{1,2}\/|~)/
const optionWord = /^(?:-[a-zA-Z]|--[a-z][a-z0-9-]*(?:=.*)?)$/s
/** The rest of an invite line that has lost its beginning: long, of all kinds of characters. */
const longWord = /[\w-]{40,}/g
/** A word of the command line that a torn line may have left, and the marks that a text around it puts there. */
const bareWord = /^["'(<]*([\w-]{12,})[>)"',;:.]*$/
/** Letters and digits as words and numbers are spelled. */
const spelled = /[A-Z]?[a-z]+|[A-Z]+|\d+/g
/** Characters of a spelled piece, on average, below which a word is a random one: of 1,000 ends of invite lines of 37 characters 2 are above. */
const leastPiece = 3
/** Options whose value is spelled as its user likes. */
const freeText = /^--(?:network-name|reason|note|aws-profile|matching)$/
const peerId = /^(?:12D3Koo|16Uiu2|Qm)/
/** Parts of a secret that are shorter may be words of their own. */
const leastPart = 12
/** Shorter values of variables, like "true", are no secrets. */
const leastValue = 8
const shown = '[secret]'

type Env = Readonly<Record<string, string | undefined>>

/** Command line and environment that a process was started with. */
export interface RedactorInit {
  readonly argv: readonly string[]
  readonly env: Env
}

/** Positions of the words of a command line that are secret or may be parts of one, and what of each is. */
const secretWords = (argv: readonly string[]): Map<number, string> => {
  const found = new Map<number, string>()
  let spills = false
  for (const [at, word] of argv.entries()) {
    const isOption = optionWord.test(word)
    if (isOption) spills = false
    const value = isOption ? word.slice(word.indexOf('=') + 1) : word
    // A shell, a mail or a terminal may have split the line anywhere, also in its first letters.
    spills ||= beginsInvite([value, ...argv.slice(at + 1)]) || inviteStart.test(value.replaceAll(/\s/g, ''))
    const isLoose = !freeText.test(argv[at - 1] ?? '') && isRandomWord(value)
    if (spills || isLoose || isNamedSecret(argv, at) || holdsRest(value)) found.set(at, value)
  }
  return found
}

/** A file, a name or a command is not spelled like that; a PeerId is, and is no secret. */
const holdsRest = (value: string): boolean =>
  (value.match(longWord) ?? []).some(
    (word) => /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word) && !peerId.test(word)
  )

const isRandomWord = (value: string): boolean => {
  const word = bareWord.exec(value)?.[1] ?? ''
  if (!/[A-Z]/.test(word) || !/[a-z]/.test(word) || peerId.test(word)) return false
  const pieces = word.match(spelled) ?? []
  return pieces.join('').length < pieces.length * leastPiece
}

const beginsInvite = (words: readonly string[]): boolean =>
  inviteStart.test((words[0] ?? '').slice(0, 1) === 't' ? words.slice(0, 6).join('').slice(0, 5) : '')

/** `--token X`, `--token=X`, `--set dns.token=X`, `--set=dns.token=X` */
const isNamedSecret = (argv: readonly string[], at: number): boolean => {
  const word = argv[at] ?? ''
  const before = argv[at - 1] ?? ''
  const [, name = '', value = ''] = /^(?:--set=)?([^=]*)=(.*)$/s.exec(word) ?? []
  if (isSecretOf(name, value)) return true
  if (secretOrFile.test(before)) return !isFile.test(word)
  return !optionWord.test(word) && /^--[a-z-]+$/.test(before) && isSecretOf(before, word)
}

/** Tells a secret from the path of its file: whoever reads of a file that is missing has to know which one. */
const isSecretOf = (name: string, value: string): boolean =>
  secretName.test(name) && !(fileName.test(name) && path.test(value))

/** Takes secrets out of messages and log lines before they leave this process: what the command line and the environment hold, and all that looks like one. */
export class Redactor {
  readonly #secrets: readonly string[]

  constructor(init: RedactorInit) {
    const fromEnv = Object.entries(init.env).flatMap(([name, value = '']) =>
      (secretVariable.test(name) && value.length >= leastValue) ||
      (secretFileVariable.test(name) && value.length >= leastValue && !path.test(value)) ||
      (name.startsWith('TRUSTNET_') && holdsRest(value))
        ? [value, value.trim()]
        : []
    )
    const fromArgv = [...secretWords(init.argv).values()].flatMap((word) => [word, afterEquals(word)])
    this.#secrets = [...new Set([...fromEnv, ...fromArgv].flatMap((secret) => [secret, inJson(secret)]))]
      .filter((secret) => secret.length > 3)
      .toSorted((a, b) => b.length - a.length)
  }

  clean(text: string): string {
    let clean = text
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, shown)
    // A message may show a secret shortened, or with other characters in the place of some.
    if (this.#secrets.length > 0) clean = clean.replaceAll(/[\w+/=-]+/g, (part) => (this.#isPart(part) ? shown : part))
    return withoutPatterns(clean)
  }

  #isPart(text: string): boolean {
    return text.length >= leastPart && this.#secrets.some((secret) => secret.includes(text))
  }
}

/** Spells text as a line of JSON does. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

const afterEquals = (word: string): string => word.slice(word.lastIndexOf('=') + 1)

/** A text without all that looks like a secret by itself. */
export const withoutPatterns = (text: string): string =>
  text.replaceAll(invite, shown).replaceAll(urlPassword, `$1${shown}`)

/** The title that `ps` shows to every user of the machine. */
export const processTitle = (argv: readonly string[]): string => {
  const secrets = secretWords(argv)
  const words = argv.map((word, at) => {
    const secret = secrets.get(at)
    return secret === undefined ? withoutPatterns(word) : word.replace(secret, 'INVITE')
  })
  return ['trustnet', ...words].join(' ')
}
