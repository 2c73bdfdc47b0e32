// A program of your own on a TrustNet node: `trustnet invite` prints a line, then
//   node dist/examples/echo.js serve ./invite.txt            on one machine
//   node dist/examples/echo.js ask ./invite.txt NAME hello    on another
import { lpStream } from '@libp2p/utils'
import { createNode, type Node, parseConfig } from '../src/index.ts'

const protocol = '/example/echo/1.0.0'
const maxBytes = 64 * 1024

/** Answers each message with itself. Only members of the network reach it, and it knows which one asks. */
export async function serveEcho(node: Node): Promise<void> {
  await node.handle(protocol, async (stream, member) => {
    const frames = lpStream(stream, { maxDataLength: maxBytes })
    const signal = AbortSignal.timeout(5_000)
    const message = await frames.read({ signal })
    await frames.write(
      new TextEncoder().encode(`${member.name} said: ${new TextDecoder().decode(message.subarray())}`),
      { signal }
    )
    await stream.close({ signal })
  })
}

/** Asks a member, by name or PeerId. */
export async function askEcho(node: Node, peer: string, text: string): Promise<string> {
  const signal = AbortSignal.timeout(5_000)
  const stream = await node.openStream(peer, protocol, { signal })
  const frames = lpStream(stream, { maxDataLength: maxBytes })
  await frames.write(new TextEncoder().encode(text), { signal })
  const answer = await frames.read({ signal })
  await stream.close({ signal })
  return new TextDecoder().decode(answer.subarray())
}

async function main([command, inviteFile, peer, text]: string[]): Promise<void> {
  if (inviteFile === undefined || !['serve', 'ask'].includes(command ?? '')) {
    process.stderr.write('usage: echo.js serve INVITE_FILE | ask INVITE_FILE NAME TEXT\n')
    process.exitCode = 2
    return
  }
  const { config } = parseConfig({ flags: { 'bootstrap.inviteFile': inviteFile, 'logging.level': 'warn' } })
  await using node = await createNode({ config, control: false })
  await node.start()
  await node.joined({ signal: AbortSignal.timeout(30_000) })
  if (command === 'ask') {
    process.stdout.write(`${await askEcho(node, peer ?? '', text ?? '')}\n`)
    return
  }
  await serveEcho(node)
  process.stdout.write(`${node.peerId} serves ${protocol}; Ctrl-C ends it\n`)
  await new Promise((resolve) => process.once('SIGINT', resolve))
}

if (import.meta.filename === process.argv[1]) await main(process.argv.slice(2))
