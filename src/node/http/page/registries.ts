import type { RegistryStatusView } from '../../api/control-api.ts'
import { byId, make, row } from './dom.ts'
import { ask } from './feed.ts'
import { lagText, nameOf } from './words.ts'

/** Reads and shows the registries of the network. */
export const showRegistries = async (): Promise<void> => {
  const { registries } = await ask<RegistryStatusView>('/registries')
  byId('registries').replaceChildren(
    ...registries.map(({ connected, address, ...registry }) =>
      row(
        nameOf(registry),
        registry.role,
        make('td', `state ${registry.state}`, registry.state),
        connected ? 'yes' : 'no',
        lagText(registry),
        address ?? ''
      )
    )
  )
}
