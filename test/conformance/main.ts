import { decodeInvite, encodeInvite } from '../../src/registry/objects/invite.ts'
import { Checks } from './checks.ts'
import { checkClient } from './client.ts'
import { checkRegistry } from './registry.ts'
import { ScriptedRegistry } from './scripted-registry.ts'

// npm run conformance -- registry INVITE [NAME]: checks of a registry of any implementation, at the first address of an invite line.
// npm run conformance -- client [SECONDS]: checks of a client of any implementation, which joins with the invite line that is printed.

const usage = `usage: npm run conformance -- registry INVITE-LINE [NAME]
       npm run conformance -- client [SECONDS]
`
const checks = new Checks((text) => process.stdout.write(`${text}\n`))

async function ofRegistry(line: string, name = `conformance-${Date.now() % 1_000_000}`): Promise<void> {
  await checkRegistry(decodeInvite(line), name, checks)
}

/** The client has so many seconds for each thing that it must do. */
async function ofClient(seconds: number): Promise<void> {
  await using registry = await ScriptedRegistry.open(seconds * 1000)
  const invite = await registry.network.invite({ role: 'external' })
  process.stdout.write(`address ${registry.network.address('root')}\ninvite  ${encodeInvite(invite)}\n`)
  await checkClient(registry, invite, checks)
}

const [what, first, second] = process.argv.slice(2)
const seconds = Number(first ?? 60)
if (what === 'registry' && first !== undefined) await ofRegistry(first, second)
else if (what === 'client' && seconds > 0) await ofClient(seconds)
if (checks.passed + checks.failed === 0) {
  process.stderr.write(usage)
  process.exitCode = 2
} else {
  process.stdout.write(`${checks.summary}\n`)
  process.exitCode = checks.failed === 0 ? 0 : 1
}
