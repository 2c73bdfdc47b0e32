// A program of your own on a TrustNet node: `trustnet invite` prints a line, then
//   node dist/examples/echo.js serve ./invite.txt            on one machine
//   node dist/examples/echo.js ask ./invite.txt NAME hello    on another
import { readFileSync } from 'node:fs'
import { createNode, type ProgramNode } from 'trustnet'

const protocol = '/example/echo/1.0.0'

/** Answers each message with itself. Only members of the network reach it, and it knows which one asks. */
export async function serveEcho(node: ProgramNode): Promise<void> {
  await node.answer(protocol, (request, member) => `${member.name} said: ${new TextDecoder().decode(request)}`)
}

/** Asks a member, by name or PeerId. */
export async function askEcho(node: ProgramNode, peer: string, text: string): Promise<string> {
  return new TextDecoder().decode(await node.request(peer, protocol, text))
}

async function main([command, inviteFile, peer, text]: string[]): Promise<void> {
  if (inviteFile === undefined || !['serve', 'ask'].includes(command ?? '')) {
    process.stderr.write('usage: echo.js serve INVITE_FILE | ask INVITE_FILE NAME TEXT\n')
    process.exitCode = 2
    return
  }
  const invite = readFileSync(inviteFile, 'utf8')
  await using node = await createNode({ folder: './echo-node', invite, log: process.stderr })
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
