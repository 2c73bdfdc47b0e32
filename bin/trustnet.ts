#!/usr/bin/env node
// Runs on every Node that knows ES modules up to the version check: nothing else is imported before it.
const needed = 24
// Databases, keys and invites are files of this user alone; the control socket sets its own mode.
process.umask(0o077)
// What ps and /proc show to every user of the machine: an invite line on the command line is a secret.
process.title = ['trustnet', ...process.argv.slice(2).map((word) => (word.includes('tnet1') ? 'INVITE' : word))].join(
  ' '
)
const found = Number(process.versions.node.split('.')[0])

const run = async (): Promise<number> => {
  const { main } = await import('../src/cli/main.ts')
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second one is meant: 128 + SIGINT, as a shell would say.
      if (stop.signal.aborted && signal === 'SIGINT') process.exit(130)
      stop.abort()
    })
  }
  // `trustnet peers | head` closes the pipe early: that is no failure.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  }
  const { stdout, stderr, stdin, env } = process
  return main({ argv: process.argv.slice(2), stdout, stderr, stdin, env, signal: stop.signal })
}

if (found < needed) {
  process.stderr.write(
    `TrustNet needs Node.js ${needed} or newer and this is ${process.versions.node}: run it as \`npx trustnet\`, which takes the one that was installed along, or install one from https://nodejs.org.\n`
  )
  process.exitCode = 2
} else {
  // Timers are unref'ed everywhere: a command that waits for nothing else but its own deadline must not end before it.
  setInterval(() => {}, 2 ** 30)
  process.exit(await run())
}
