// Compiles every {src,test}/**/pb/*.proto to TypeScript beside it. --check compares instead of writing, and fails on a difference.
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'

const check = process.argv.includes('--check')
const stale = []
for (const proto of globSync('{src,test}/**/pb/*.proto')) {
  const target = proto.replace(/\.proto$/, '.ts')
  const folder = mkdtempSync(join(tmpdir(), 'trustnet-pb-'))
  try {
    const messages = withoutEnums(readFileSync(proto, 'utf8'))
    if (!messages.includes('message ')) continue
    writeFileSync(join(folder, basename(proto)), messages)
    execFileSync('protons', ['--output', folder, join(folder, basename(proto))], { stdio: 'inherit' })
    const made = join(folder, basename(target))
    // Buffers are Uint8Array<ArrayBufferLike>: the narrower type that protons writes would need a copy or a cast at every call.
    const code = readFileSync(made, 'utf8').replaceAll('Uint8Array<ArrayBuffer>', 'Uint8Array')
    const isSigned = proto.startsWith('src/registry/')
    const text = `${isSigned ? "import type { Shape, Shapes } from '../objects/encoding/canonical.ts'\n" : ''}${compact(withoutStreaming(code), target)}${isSigned ? shapesOf(readFileSync(proto, 'utf8')) : ''}`
    if (!check) writeFileSync(target, text)
    else if (text !== safeRead(target)) stale.push(target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
if (stale.length > 0) {
  process.stderr.write(`out of date: ${stale.join(', ')}\nrun: npm run generate\n`)
  process.exit(1)
}

/** Without what protons cannot read: the package, and enums, which stand there for other languages. */
function withoutEnums(proto) {
  return proto.replace(/^package .*\n/m, '').replaceAll(/^enum \w+ \{[^}]*\}\n/gm, '')
}

/** The fields of each message, for the check of what is signed, which must not depend on what a decoder takes. */
function shapesOf(proto) {
  const plain = proto.replaceAll(/\/\/.*/g, '')
  const messages = [...plain.matchAll(/message (\w+) \{([^}]*)\}/g)].map(([, name, body]) => {
    const fields = [...body.matchAll(/(?:(repeated|optional) )?(\w+) (\w+) = (\d+)/g)].map(
      ([, rule, type, , number]) =>
        `${number}: { type: ${/^[A-Z]/.test(type) ? type : `'${type}'`}${rule === undefined ? '' : `, rule: '${rule}'`} }`
    )
    return `  [${name}, { ${fields.join(', ')} }]`
  })
  return `
/** The fields of each message by number. */
export const shapes: Shapes = new Map<unknown, Shape>([
${messages.join(',\n')}
])
`
}

/** The decoder that yields field by field is most of what protons writes, and nobody here calls it. */
function withoutStreaming(text) {
  return text
    .replaceAll(/, function \* \(reader, length, prefix, opts = \{\}\) \{\n[\s\S]*?\n {6}\}\)\n/g, ')\n')
    .replaceAll(/\n {2}export interface \w+FieldEvent \{\n[\s\S]*?\n {2}\}\n/g, '')
    .replaceAll(/\n {2}export function stream \([\s\S]*?\n {2}\}\n/g, '')
    .replaceAll(', streamMessage', '')
}

/** Each message as what it differs in: the rest is in src/runtime/message-type.ts. */
function compact(text, target) {
  const helper = relative(dirname(target), 'src/runtime/message-type.ts')
  return text
    .replace(
      /^import \{ .* \} from 'protons-runtime'\n/m,
      text.includes('MaxLengthError') ? "import { MaxLengthError } from 'protons-runtime'\n" : ''
    )
    .replace(
      /^import type \{ Codec.*\nimport type \{ Uint8ArrayList.*\n/m,
      `import { ${text.includes('limits: opts') ? 'inside, ' : ''}messageType } from '${helper}'\n`
    )
    .replaceAll(
      /^export namespace (\w+) \{\n[\s\S]*?message<\w+>\(([\s\S]*?)\n {6}\}\)\n[\s\S]*?\n\}\n/gm,
      (_, name, body) =>
        `export const ${name} = messageType<${name}>(${withoutLoop(
          body
            .replace('(obj, w, opts = {})', '(obj, w)')
            .replaceAll(/\n {8}if \(opts\.lengthDelimited !== false\) \{\n.*\n {8}\}\n\n?/g, '\n')
            .replaceAll(/\{\n\s*limits: (opts\.limits\?\.\w+\$?)\n\s*\}/g, 'inside($1)')
            .replaceAll(/^ {6}/gm, '')
            .replaceAll(/\n\n+(?=\})/g, '\n')
            .replaceAll('{\n\n', '{\n')
        )}\n})\n`
    )
}

/** A decoder as the message without any field, and its fields by number: the loop over them is the same for all messages. */
function withoutLoop(text) {
  const decoder =
    /\(reader, length, opts = \{\}\) => \{\n {2}const obj: any = (\{[\s\S]*?\})\n\n {2}const end = [\s\S]* {4}switch \(tag >>> 3\) \{\n([\s\S]*) {6}default: \{[\s\S]*$/
  return text.replace(decoder, (_, empty, cases) => {
    const [value, fields] = [empty, cases].map((part) => part.replaceAll(/^ {2}/gm, ''))
    const read = `  switch (field) {\n${fields}    default: {\n      return false\n    }\n  }\n\n  return true`
    return `() => (${value}), (obj, field, reader, opts) => {\n${read}`
  })
}

function safeRead(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
