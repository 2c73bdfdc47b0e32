#!/usr/bin/env node
// Runs on every Node that knows ES modules up to the version check: nothing else is imported before it.
const needed = 24
// Databases, keys and invites are files of this user alone; the control socket sets its own mode.
process.umask(0o077)
// Node opens a debugger at the first of them, which asks nobody on this machine who he is; the second would end the process.
for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => {})
const found = Number(process.versions.node.split('.')[0])

if (found < needed) {
  process.stderr.write(
    `TrustNet needs Node.js ${needed} or newer and this is ${process.versions.node}: run it as \`npx trustnet\`, which takes the one that was installed along, or install one from https://nodejs.org.\n`
  )
  process.exitCode = 2
} else {
  const { processTitle } = await import('../src/runtime/redactor.ts')
  process.title = processTitle(process.argv.slice(2))
  // Timers are unref'ed everywhere: a command that waits for nothing else but its own deadline must not end before it.
  setInterval(() => {}, 2 ** 30)
  const { runProcess } = await import('../src/cli/run-process.ts')
  process.exit(await runProcess())
}
