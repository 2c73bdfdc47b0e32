import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaults } from '../../../../src/node/config/defaults.ts'
import { SharedFolders } from '../../../../src/node/stores/shared-folders.ts'
import { storeKey } from '../../../../src/node/stores/store-entry.ts'
import { Stores } from '../../../../src/node/stores/stores.ts'
import { silentLogger, systemClock } from '../../../../src/runtime/clock-and-logger.ts'
import { Supervisor } from '../../../../src/runtime/supervisor.ts'
import { eventually } from '../../../helpers/network.ts'
import { keyOf, networkId } from '../../../helpers/signed-objects.ts'
import { tempFolder } from '../../../helpers/temp.ts'

let temp: ReturnType<typeof tempFolder>
let folder: string
let stores: Stores
let folders: SharedFolders
let services: Supervisor
beforeEach(() => {
  // On a disk: not every file system in memory tells of changes.
  temp = tempFolder()
  folder = join(temp.path, 'music')
  mkdirSync(folder)
  writeFileSync(join(folder, 'song'), 'la')
  begin()
})
afterEach(async () => {
  await folders.stop()
  temp[Symbol.dispose]()
})

function begin(): void {
  services = new Supervisor(systemClock)
  stores = new Stores({
    folder: join(temp.path, 'stores'),
    networkId,
    key: keyOf(4),
    config: { ...defaults.stores },
    clock: systemClock,
    logger: silentLogger
  })
  folders = new SharedFolders({ stores, logger: silentLogger, onRead: () => {} })
}

const entry = () => stores.get(keyOf(4).publicKey, 'music')
const seq = (): number => entry()?.versions[0]?.value.seq ?? 0
const trouble = (): string => stores.troubles.get(storeKey(keyOf(4).publicKey, 'music')) ?? ''
const reaches = (wanted: number): Promise<void> => eventually(() => seq() === wanted)

async function share(watch: boolean): Promise<void> {
  await stores.share('music', folder, watch)
  folders.start(services)
  await reaches(1)
}

test('a watched folder is read again when something in it changes, also deep in it and in what is new', async () => {
  await share(true)
  mkdirSync(join(folder, 'new/deep'), { recursive: true })
  writeFileSync(join(folder, 'new/deep/song'), 'lala')
  await reaches(2)
  writeFileSync(join(folder, 'new/deep/song'), 'lalala')
  await reaches(3)
  renameSync(join(folder, 'song'), join(folder, 'renamed'))
  await reaches(4)
})

test('what changed while the process was away is read at its start; a folder that is not watched is read when asked', async () => {
  await share(true)
  await folders.stop()
  writeFileSync(join(folder, 'song'), 'lala')
  begin()
  folders.start(services)
  await reaches(2)
  await stores.share('music', folder, false)
  await folders.stop()
  writeFileSync(join(folder, 'song'), 'lalala')
  begin()
  folders.start(services)
  await eventually(() => entry() !== undefined)
  expect(seq()).toBe(2)
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await reaches(3)
})

test('one that cannot be shared as it is says why, its last version stays, and it is read when that is mended', async () => {
  await share(true)
  symlinkSync('/etc/passwd', join(folder, 'link'))
  await eventually(() => trouble().includes('is a symbolic link'))
  expect(trouble()).toContain('others still get the version of before')
  expect(seq()).toBe(1)
  rmSync(join(folder, 'link'))
  writeFileSync(join(folder, 'song'), 'lala')
  await reaches(2)
  await eventually(() => trouble() === '')
})

test('nothing is read where a link leads that was put in the place of a shared folder, or of one above it', async () => {
  const above = join(temp.path, 'above')
  mkdirSync(above)
  renameSync(folder, join(above, 'music'))
  folder = join(above, 'music')
  await share(true)
  const secret = join(temp.path, 'secret', 'music')
  mkdirSync(secret, { recursive: true })
  writeFileSync(join(secret, 'node.key'), 'key')
  renameSync(folder, join(above, 'away'))
  symlinkSync(secret, folder)
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await eventually(() => trouble().includes(`leads to ${secret} by now`))
  rmSync(folder)
  renameSync(above, join(temp.path, 'was above'))
  symlinkSync(join(temp.path, 'secret'), above)
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await eventually(() => trouble().includes(`leads to ${secret} by now`))
  expect(seq()).toBe(1)
  // Control: the folder itself is read again.
  rmSync(above)
  renameSync(join(temp.path, 'was above'), above)
  renameSync(join(above, 'away'), folder)
  writeFileSync(join(folder, 'song'), 'lala')
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await reaches(2)
})

test('a folder that is not there says so, and takes nothing away', async () => {
  await share(false)
  renameSync(folder, `${folder}-away`)
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await eventually(() => trouble().includes('could not be read'))
  expect(seq()).toBe(1)
  renameSync(`${folder}-away`, folder)
  folders.ask({ owner: keyOf(4).publicKey, name: 'music' })
  await eventually(() => trouble() === '')
})
