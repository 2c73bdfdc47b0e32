import { executePlan } from '../../../src/install/apply/execute.ts'
import { journalFor, planFor, toolsFor } from '../../../src/install/apply/session.ts'
import { deploymentOf } from '../../../src/install/deployments/index.ts'
import { runningProgram } from '../../../src/install/machine/running-program.ts'
import { resolveAnswers } from '../../../src/install/plan/resolve-answers.ts'
import { roleNames } from '../../../src/node/config/schema.ts'

/** A program: an install that ends itself with SIGKILL at the n-th begin or end of a change. Prints the change. */
const [wanted = '', role = 'root'] = process.argv.slice(2)
const answers = resolveAnswers({
  name: 'killed',
  role: roleNames.find((one) => one === role) ?? 'root',
  trustOnFirstUse: true,
  domain: 'example.test',
  deployment: 'foreground',
  port: 8123
})
const deployment = deploymentOf(answers.deployment)
if (deployment === undefined) throw new Error('no such deployment')
const program = runningProgram()
const plan = planFor(answers, program.version, deployment, { ipv6: [], firewall: [], dns: [] })
const journal = await journalFor(answers, program.version, process.env)
const { signal } = new AbortController()
const { passphrase } = journal.state
const tools = toolsFor({ signal, program, say: () => {}, tell: () => {}, env: process.env, passphrase })
// As in the program: it waits for things that unref'ed timers bring.
setInterval(() => {}, 2 ** 30)
let seen = 0
await executePlan(plan, journal, tools, {
  onAction: (action, state) => {
    if (++seen !== Number(wanted)) return
    process.stdout.write(`${action.kind} ${state}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
})
await journal.finish({ shown: true })
for (const child of tools.children.values()) {
  child.stop()
  await child.ended
}
process.exit(0)
