import { afterAll, beforeAll, expect } from 'vitest'
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
import { whyNoFileRoots } from '../../hosts/file-root.ts'
import { whyNoNamespaces } from '../../hosts/host-network.ts'
import { whyNoSystemd } from '../../hosts/systemd-host.ts'
import { attack, control } from '../attack.ts'
import { data, PlantedMachine, plants, runtime, user } from './planted-machine.ts'
import { readTrace } from './root-calls.ts'
import { rootCommands, uninstalls, upgrade } from './root-commands.ts'

/** Every command at every place with every plant, which takes an hour; otherwise each place once, in turns. */
const isLong = process.env['ATTACKS_LONG'] === 'true'

/** Folders in which the service user may write. */
const folders = [data, runtime]

/** A user is removed from both tables, and comes back with another line. */
const withoutAccounts = (snapshot: string): string => snapshot.replaceAll(/^\w{64} .*\/etc\/(?:shadow|passwd)$/gm, '')

/** A message of the program, and no stack of it. */
const isClear = (out: string): boolean => !/^\s+at .*:\d+:\d+\)?$/m.test(out) && !/\bnode:internal\b/.test(out)

describeUnless(whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd())('a service user that was taken over', () => {
  let machine: PlantedMachine
  let before: string
  /** By each place in those folders, the commands that touch it. */
  const places = new Map<string, string[]>()
  let stopped: readonly string[] = []
  let running: readonly string[] = []

  /** What root did by a path of the service user in one command. */
  const traced = (command: string): string[] => {
    const { touched, byPath } = readTrace(machine.trace(command).trace, folders)
    for (const path of touched) {
      if (!/\.(?:read|plan|for)-/.test(path)) places.set(path, [...(places.get(path) ?? []), command])
    }
    return byPath.map((call) => `${command}: ${call}`)
  }

  beforeAll(async () => {
    machine = await PlantedMachine.create('svc')
    before = machine.snapshot()
    ;({ stopped, running } = await rootCommands())
  })

  afterAll(async () => {
    await machine?.[Symbol.asyncDispose]()
  })

  control('root that goes by a path changes what a planted link leads to', async () => {
    machine.must(
      'cp -a /srv/canary /srv/kept',
      `rm ${data}/registry.db`,
      plants['link to a file']?.(`${data}/registry.db`) ?? ''
    )
    machine.must(`chown ${user}: ${data}/registry.db`)
    expect(machine.snapshot()).not.toBe(before)
    machine.must('rm -rf /srv/canary && mv /srv/kept /srv/canary')
    machine.reset()
    expect(machine.snapshot()).toBe(before)
  })

  attack('puts links in the place of the folders of nodes', async () => {
    const asUser = `setpriv --reuid=${user} --regid=${user} --clear-groups`
    const tries = ['/var/lib/trustnet', '/etc/trustnet', '/run/trustnet'].flatMap((folder) => [
      `${asUser} ln -s /etc ${folder}/planted`,
      `${asUser} mv ${folder}/tnr ${folder}/away`,
      `${asUser} rm -rf ${folder}/tnr.yaml`,
      `${asUser} sh -c "echo > ${folder}/.tnr.yaml.trustnet.tmp"`
    ])
    machine.must('mkdir -p /run/trustnet/tnr')
    const worked = tries.filter((command) => machine.must(`${command} 2>/dev/null && echo yes || true`).includes('yes'))
    expect(worked.filter((command) => !command.includes('rm -rf /var') && !command.includes('rm -rf /run'))).toEqual([])
    // As older versions left it: folders of the service user, who has put a link there.
    machine.must('mv /var/lib/trustnet /root/moved', 'mkdir /var/lib/trustnet', `ln -s /etc ${data}`)
    machine.must(`chown -h ${user}: /var/lib/trustnet ${data}`)
    const { code, out } = machine.try('trustnet install --yes --name tnr')
    machine.must('rm -rf /var/lib/trustnet && mv /root/moved /var/lib/trustnet')
    machine.reset()
    expect([code, out]).toEqual([1, expect.stringContaining(`${data} is no folder, or a link`)])
    expect(machine.snapshot()).toBe(before)
    return {
      happened: `${tries.length} tries to replace a folder or a configuration: none worked; a link left by an older layout: the install says so, /etc unchanged`,
      held: 'parent folders and configuration are root’s; folders are opened step by step without links'
    }
  })

  const lieAtSocket = (): void => {
    machine.must('mkdir -p /run/trustnet/tnr', `chown ${user}: /run/trustnet/tnr`)
    machine.asService('liar', liar, 'python3')
    machine.must('for i in $(seq 200); do test -S /run/trustnet/tnr/tnr.sock && break; sleep 0.1; done')
  }

  attack('waits in its folders for a path that root goes by', async () => {
    const bad: string[] = []
    for (const command of stopped) {
      bad.push(...traced(command))
      machine.reset()
    }
    for (const command of running) {
      machine.start()
      bad.push(...traced(command))
    }
    machine.reset()
    expect(bad).toEqual([])
    return {
      happened: `${stopped.length + running.length} calls of all commands, stopped and running, by their system calls: none of root by a path in a folder of the service user, no signal to a process of others`,
      held: 'work on the files of a node is done as its user; root opens, connects and removes by number, without links'
    }
  })

  control('a call by a path, a link that is followed and a signal would be seen', async () => {
    const { trace } = machine.trace(
      `touch ${data}/x; kill -CONT 1; cd ${data} && chmod 600 ./registry.db; rm ${data}/x`
    )
    expect(readTrace(trace, folders).byPath.map((call) => /^\d+ +(\w+)/.exec(call)?.[1])).toEqual(
      expect.arrayContaining(['openat', 'kill', 'fchmodat', 'unlinkat'])
    )
    machine.reset()
  })

  attack(
    'plants links, pipes, folders and foreign files where root works',
    async () => {
      const quick = (by: readonly string[]): string[] =>
        by.filter((one) => one !== upgrade && !one.startsWith('timeout'))
      const kinds = Object.entries(plants)
      const runs = [...places].flatMap(([path, by], at) => {
        if (isLong) return kinds.flatMap((kind) => quick(by).map((command) => ({ path, kind, command })))
        // Every other time a link, in between the rest in turns.
        const kind = kinds[at % 2 === 0 ? (at / 2) % 2 : 2 + (((at - 1) / 2) % (kinds.length - 2))]
        return kind === undefined ? [] : [{ path, kind, command: quick(by)[at % quick(by).length] ?? 'true' }]
      })
      const bad: string[] = []
      for (const {
        path,
        kind: [name, plant],
        command
      } of runs) {
        machine.must(`rm -rf ${path}; mkdir -p $(dirname ${path})`, plant(path))
        const { code, out } = machine.try(command)
        const isSame = machine.snapshot() === before
        if (!isSame || code === 124 || code === 137 || !isClear(out))
          bad.push(`${name} at ${path}: ${command} ended with ${code}${isSame ? '' : ', CHANGED'}: ${out.slice(-600)}`)
        machine.must(`rm -rf ${path}`)
        machine.reset()
      }
      expect(bad).toEqual([])
      expect(places.size).toBeGreaterThan(5)
      return {
        happened: `${places.size} places that commands touch, by their system calls; ${runs.length} plants: the tree of root is as it was, each command ended with a word`,
        held: 'work on the files of a node is done as its user; root opens by number, without links, and checks what it opened'
      }
    },
    isLong ? 7_200_000 : 600_000
  )

  attack('swaps its files for links while root works', async () => {
    machine.asService('swap', swap, 'python3')
    const ends: number[] = []
    for (const command of stopped.filter((one) => !/install|timeout| start /.test(one))) {
      for (let round = 0; round < (isLong ? 20 : 1); round++) {
        const { code, out } = machine.try(command)
        ends.push(code)
        expect([machine.snapshot() === before, isClear(out), out]).toEqual([true, true, out])
      }
    }
    const swaps = Number(machine.must('kill -9 $(cat /root/swap.pid)', 'cat /tmp/swap.log | tail -n 1'))
    machine.reset()
    expect(swaps).toBeGreaterThan(100)
    return {
      happened: `${swaps} swaps during ${ends.length} commands, of which ${ends.filter((code) => code === 0).length} came through: the tree of root is as it was`,
      held: 'a command of root becomes the node’s user before it touches the files'
    }
  })

  attack('lies on its control socket about numbers and paths', async () => {
    const victim = machine.must('sleep 600 >/dev/null 2>&1 </dev/null & echo $!').trim()
    machine.must(`echo ${victim} > /srv/victim && chmod 644 /srv/victim`)
    lieAtSocket()
    const asking = running.filter((one) => !/ (?:install|upgrade|wait) /.test(`${one} `))
    for (const command of asking) {
      const { out } = machine.try(command)
      expect([machine.snapshot() === before, isClear(out), out]).toEqual([true, true, out])
    }
    const bad: string[] = []
    for (const command of uninstalls) {
      const isPurge = command.includes('--purge')
      for (const [name, plant] of Object.entries(plants)) {
        const path = `${data}/${name.replaceAll(' ', '-')}`
        // A second name of a file of root's would be given to root: that is refused, and says so.
        if (isPurge || name !== 'hard link') machine.must(plant(path))
      }
      const { code, out, trace } = machine.trace(command)
      bad.push(...readTrace(trace, folders).byPath)
      expect([code, out]).toEqual([0, expect.stringContaining('tnr is uninstalled')])
      expect(withoutAccounts(machine.snapshot())).toBe(withoutAccounts(before))
      expect(machine.must(`kill -0 ${victim} && echo alive; id ${user} 2>&1 || true`)).toMatch(
        /^alive\n.*no such user\n$/
      )
      if (isPurge) continue
      machine.must(`rm -rf ${data}`)
      machine.install()
      machine.must('systemctl stop trustnet-tnr')
      lieAtSocket()
    }
    expect(bad).toEqual([])
    expect(machine.must('ls -A /var/lib | grep trustnet || true')).toBe('')
    machine.must(`kill ${victim}`)
    return {
      happened: `${asking.length + uninstalls.length} commands believed no number and no path; the uninstall ended every process of the service user, and none of root's`,
      held: 'nothing that a socket says is signalled, opened or removed as root'
    }
  })
})

const swap = `
import os
folder, names = '${data}', ['registry.db', 'recovery.kit', 'node.key', 'log.key', 'backups']
swaps = 0
while True:
    for name in names:
        path = f'{folder}/{name}'
        try:
            os.rename(path, path + '.away')
            os.symlink('/srv/canary/file' if swaps % 2 else '/srv/canary/folder', path)
            os.unlink(path)
            os.rename(path + '.away', path)
        except OSError:
            try: os.rename(path + '.away', path)
            except OSError: pass
        swaps += 1
    if swaps % 50 == 0: print(swaps, flush=True)
`

const liar = `
import http.server, json, os, socketserver
import { describeUnless } from '../../helpers/vitest/describe-unless.ts'
path = '/run/trustnet/tnr/tnr.sock'
try: os.unlink(path)
except OSError: pass
victim = int(open('/srv/victim').read())
lie = { 'schema': 1, 'path': '/etc/shadow', 'manifest': '/etc/passwd', 'keyFile': '/etc/shadow', 'word': 'healthy',
  'self': { 'pid': victim, 'dataFolder': '/srv/canary', 'name': 'tnr', 'peerId': 'x', 'role': 'root', 'version': '0.1.0' } }
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = json.dumps(lie).encode()
        self.send_response(200); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
    do_GET = do_POST = answer
    def address_string(self): return 'unix'
    def log_message(self, *a): pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
Server(path, Handler).serve_forever()
`
