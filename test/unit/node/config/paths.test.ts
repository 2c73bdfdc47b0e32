import { describe, expect, it } from 'vitest'
import { dataFiles, homes, runtimeFolders, socketPath } from '../../../../src/node/config/paths.ts'

describe('paths', () => {
  it('root uses the folders of the machine, others their own, TRUSTNET_HOME wins', () => {
    const machine = { config: '/etc/trustnet', data: '/var/lib/trustnet', runtime: '/run/trustnet' }
    const own = { config: '/home/a/.trustnet', data: '/home/a/.trustnet/data', runtime: '/home/a/.trustnet/run' }
    expect(homes({ HOME: '/root' }, 0)).toEqual(machine)
    expect(homes({ HOME: '/home/a' }, 1000)).toEqual(own)
    expect(homes({ TRUSTNET_HOME: '/srv' }, 0)).toEqual({ config: '/srv', data: '/srv/data', runtime: '/srv/run' })
  })

  it.each(['data', './data', '~/trustnet', '~'])(
    'a TRUSTNET_HOME of %s is refused: its keys would lie where a command is called',
    (home) => {
      expect(() => homes({ TRUSTNET_HOME: home }, 0)).toThrow(`TRUSTNET_HOME is '${home}', no absolute path`)
    }
  )

  it("an operator who is not root also looks for the machine's processes", () => {
    expect(runtimeFolders({ HOME: '/home/a' }, 1000)).toEqual(['/home/a/.trustnet/run', '/run/trustnet'])
    expect(runtimeFolders({ HOME: '/root' }, 0)).toEqual(['/run/trustnet'])
    expect(runtimeFolders({ TRUSTNET_HOME: '/srv' }, 1000)).toEqual(['/srv/run'])
  })

  it('a socket path that the kernel would cut is refused with the way out', () => {
    expect(socketPath('/run/trustnet', 'n1')).toBe('/run/trustnet/n1.sock')
    expect(() => socketPath(`/${'x'.repeat(110)}`, 'n1')).toThrow('paths.runtime')
  })

  it('files of a node lie in its data folder', () => {
    expect(Object.values(dataFiles('/d')).every((file) => file.startsWith('/d/'))).toBe(true)
  })
})
