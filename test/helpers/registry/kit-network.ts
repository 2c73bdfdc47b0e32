import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadKey } from '../../../src/identity/key-file.ts'
import { saveConfigValues } from '../../../src/node/config/index.ts'
import { dataFiles } from '../../../src/node/config/paths.ts'
import type { BecomeRootInit } from '../../../src/node/offline/become-root.ts'
import { createNetworkHere } from '../../../src/node/offline/create-network.ts'
import { type Flags, TestNetwork, type TestNetworkOptions } from '../network.ts'

export const kitPassphrase = 'a passphrase of some length'

/** A network whose recovery kits can be opened. */
export class KitNetwork extends TestNetwork {
  /** Path of the recovery kit, with the key of the authority. */
  kit = ''

  static override async create(common: Flags = {}, options: TestNetworkOptions = {}): Promise<KitNetwork> {
    const network = new KitNetwork({ 'admission.policy': 'open', 'replication.backoffMax': '2s', ...common }, options)
    const { config } = network.config('root', { role: 'root' })
    const made = await createNetworkHere(config, { newNetwork: true, passphrase: kitPassphrase })
    network.networkId = made.networkId
    network.kit = made.recoveryKitPath
    await network.start('root', { role: 'root' })
    return network
  }

  logKey(name: string): string {
    return dataFiles(this.config(name).config.paths.data).logKey
  }

  /** Public half, for comparison. */
  logKeyText(name: string): string {
    return Buffer.from(loadKey(this.logKey(name)).publicKey).toString('hex')
  }

  hasLogKey(name: string): boolean {
    return existsSync(this.logKey(name))
  }

  promotion(name: string, more: Partial<BecomeRootInit> = {}): BecomeRootInit {
    return {
      config: this.config(name, { role: 'secondary', 'listen.port': 8123 }).config,
      save: (role) => saveConfigValues(join(this.folder, `${name}.yaml`), role),
      kit: { path: this.kit, passphrase: kitPassphrase },
      epoch: { revokeFormer: false },
      apply: true,
      promote: true,
      ...more
    }
  }

  recovery(name: string, flags: Flags, more: Partial<BecomeRootInit> = {}): BecomeRootInit {
    const { config } = this.config(name, { role: 'root', ...flags })
    return { ...this.promotion(name), config, promote: false, ...more }
  }
}
