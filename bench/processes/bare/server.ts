import type { Libp2p } from '@libp2p/interface'
import { inBackground } from '../../../src/runtime/background.ts'
import { EchoFrames, echoProtocol } from '../../harness/echo-frames.ts'
import { startBareHost } from '../../harness/members/bare-host.ts'
import { serveMethods } from '../../harness/serve.ts'

/** Bare libp2p that echoes frames. */
let host: Libp2p | undefined

const methods = {
  async start(): Promise<string> {
    host = await startBareHost(true)
    await host.handle(echoProtocol, (stream) => {
      const frames: EchoFrames = new EchoFrames(stream, (frame) => frames.send(frame.slice()))
      stream.addEventListener('remoteCloseWrite', () => inBackground(stream.close(), 'closing an echoing stream'))
    })
    const [address] = host.getMultiaddrs()
    if (address === undefined) throw new Error('the bare host listens on no address')
    return address.toString()
  },

  cpuMs(): number {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

export type BareServerMethods = typeof methods

serveMethods(methods, async () => await host?.stop())
