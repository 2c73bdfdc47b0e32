import { YAMLParseError } from 'yaml'
import { reasonOf } from '../../../runtime/error-message.ts'

const quoted = 'text that has signs of YAML in it is put in quotes'

/** Codes of faults that text without quotes makes: its signs mean something to YAML. */
const ofBareText: ReadonlySet<string> = new Set([
  'BAD_ALIAS',
  'BAD_SCALAR_START',
  'BLOCK_AS_IMPLICIT_KEY',
  'MULTILINE_IMPLICIT_KEY',
  'UNEXPECTED_TOKEN'
])

/** Fault that the parser, or what makes values of its nodes, has found in a text, for whoever wrote it. */
export function yamlFault(error: unknown): string {
  const reason = reasonOf(error)
  if (error instanceof YAMLParseError) {
    if (error.code === 'RESOURCE_EXHAUSTION') return 'is nested too deeply; write it with fewer levels'
    return ofBareText.has(error.code) ? `${reason}; ${quoted}` : reason
  }
  if (/^Unresolved alias|^Alias resolution/.test(reason)) return `begins with *, which names another value; ${quoted}`
  return reason.startsWith('Excessive alias') ? 'stands for too many values by its aliases; write them out' : reason
}
