import { networkIdText, parseNetworkId } from '../../../identity/network-id.ts'
import { saveConfigValue } from '../../../node/config/index.ts'
import { type Ids, idsOf } from '../../machine/files-on-disk.ts'
import { statAt } from '../../machine/open-safely.ts'
import type { NetworkAction } from '../../model/action.ts'
import { asOwner } from '../as-owner/run.ts'
import type { Kind } from './kind.ts'

export const networkKind: Kind<NetworkAction> = {
  describe: ({ data }) => ({
    text: `a new network: genesis, keys and recovery kit in ${data}`,
    lines: ['log.key', 'next-recovery.kit', 'node.key', 'operator.key', 'recovery.kit', 'registry.db']
  }),
  before: async ({ data }, { signal }) => ({
    there: await asOwner(await ownerOf(data), 'hasNetwork', { data }, { signal })
  }),
  apply: async ({ configFile, data }, { passphrase, signal }, { there }) => {
    const input = { configFile, data, passphrase, there: there === true }
    const id = await asOwner(await ownerOf(data), 'makeNetwork', input, { signal })
    // Anything but a network id from there is refused.
    saveConfigValue(configFile, 'networkId', networkIdText(parseNetworkId(id)))
  },
  // It goes with the data folder, or stays with it.
  revert: async () => {}
}

/** The data folder lies in one of root's: its owner is whom the installer gave it to. */
const ownerOf = async (data: string): Promise<Ids> => statAt(data) ?? (await idsOf('root'))
