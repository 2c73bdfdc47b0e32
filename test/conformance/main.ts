import { decodeInvite } from '../../src/registry/objects/invite.ts'
import { Checks } from './checks.ts'
import { checkRegistry } from './registry.ts'

// npm run conformance -- registry INVITE [NAME]: checks of a registry of any implementation, at the first address of an invite line.

const [what, line, name = `conformance-${Date.now() % 1_000_000}`] = process.argv.slice(2)
if (what !== 'registry' || line === undefined) {
  process.stderr.write('usage: npm run conformance -- registry INVITE-LINE [NAME]\n')
  process.exitCode = 2
} else {
  const checks = new Checks((text) => process.stdout.write(`${text}\n`))
  await checkRegistry(decodeInvite(line), name, checks)
  process.stdout.write(`${checks.summary}\n`)
  process.exitCode = checks.failed === 0 ? 0 : 1
}
