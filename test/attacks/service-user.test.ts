import { afterAll, beforeAll, describe, expect } from 'vitest'
import { whyNoFileRoots } from '../hosts/file-root.ts'
import { whyNoNamespaces } from '../hosts/host-network.ts'
import { whyNoSystemd } from '../hosts/systemd-host.ts'
import { attack, control } from './attack.ts'
import { data, PlantedMachine, passphrase, plants, runtime, touched, user } from './planted-machine.ts'

const reason = whyNoNamespaces() ?? whyNoFileRoots() ?? whyNoSystemd()
// In CI a machine that cannot do it is a failure; elsewhere it is said and skipped.
const skipped = reason !== undefined && process.env['CI'] !== 'true'
if (skipped) process.stderr.write(`test/attacks/service-user is skipped: ${reason}\n`)

/** Every command at every place with every plant, which takes an hour; otherwise each place once, in turns. */
const isLong = process.env['ATTACKS_LONG'] === 'true'

const withKit = `TRUSTNET_RECOVERY_PASSPHRASE="${passphrase}"`
/** What root runs on a node that is stopped. */
const commands = [
  'trustnet identity --config /etc/trustnet/tnr.yaml',
  'trustnet registry verify',
  'trustnet registry backup --to /root/safe/out.db',
  'trustnet registry restore /root/safe/backup.db --older',
  `${withKit} trustnet registry promote --kit /root/safe/recovery.kit`,
  `${withKit} trustnet registry promote --yes`,
  `${withKit} trustnet registry recover --kit /root/safe/recovery.kit --backup /root/safe/backup.db --yes`,
  `${withKit} trustnet authority rotate --kit /root/safe/next-recovery.kit --to /var/lib/trustnet/tnr/new.kit --yes`,
  'trustnet registry diff /root/safe/backup.db',
  'trustnet doctor',
  'trustnet config check',
  'trustnet upgrade --plan',
  'trustnet uninstall --plan',
  'trustnet install --yes --node-name tnr'
]

/** A message of the program, and no stack of it. */
const isClear = (out: string): boolean => !/^\s+at .*:\d+:\d+\)?$/m.test(out) && !/\bnode:internal\b/.test(out)

describe.skipIf(skipped)('a service user that was taken over', () => {
  let machine: PlantedMachine
  let before: string

  beforeAll(async () => {
    if (reason !== undefined) throw new Error(`CI must be able to boot systemd: ${reason}`)
    machine = await PlantedMachine.create('svc')
    before = machine.snapshot()
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
    const { code, out } = machine.try('trustnet install --yes --node-name tnr')
    machine.must('rm -rf /var/lib/trustnet && mv /root/moved /var/lib/trustnet')
    machine.reset()
    expect([code, out]).toEqual([1, expect.stringContaining(`${data} is no folder, or a link`)])
    expect(machine.snapshot()).toBe(before)
    return {
      happened: `${tries.length} tries to replace a folder or a configuration: none worked; a link left by an older layout: the install says so, /etc unchanged`,
      held: 'parent folders and configuration are root’s; folders are opened step by step without links'
    }
  })

  attack(
    'plants links, pipes, folders and foreign files where root works',
    async () => {
      const places = new Map<string, string[]>()
      for (const command of commands) {
        machine.must(
          `set +e; strace -f -y -e trace=file,process -o /root/trace sh -c '${command}' >/root/out.log 2>&1; true`
        )
        for (const path of touched(machine.read('/root/trace'))) {
          if ([data, runtime].some((folder) => path.startsWith(`${folder}/`)) && !/\.(?:read|plan|for)-/.test(path))
            places.set(path, [...(places.get(path) ?? []), command])
        }
        machine.reset()
      }
      const kinds = Object.entries(plants)
      const runs = [...places].flatMap(([path, by], at) => {
        if (isLong) return kinds.flatMap((kind) => by.map((command) => ({ path, kind, command })))
        // Every other time a link, in between the rest in turns.
        const kind = kinds[at % 2 === 0 ? (at / 2) % 2 : 2 + (((at - 1) / 2) % (kinds.length - 2))]
        return kind === undefined ? [] : [{ path, kind, command: by[at % by.length] ?? '' }]
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
        happened: `${places.size} places that ${commands.length} commands touch, by their system calls; ${runs.length} plants: the tree of root is as it was, each command ended with a word`,
        held: 'work on the files of a node is done as its user; root opens by number, without links, and checks what it opened'
      }
    },
    isLong ? 7_200_000 : 600_000
  )

  attack(
    'swaps its files for links while root works',
    async () => {
      machine.asService('swap', swap, 'python3')
      const ends: number[] = []
      for (const command of commands.filter((one) => !one.includes('install'))) {
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
    },
    600_000
  )

  attack(
    'lies on its control socket about numbers and paths',
    async () => {
      machine.must('mkdir -p /run/trustnet/tnr', `chown ${user}: /run/trustnet/tnr`)
      const victim = machine.must('sleep 600 >/dev/null 2>&1 </dev/null & echo $!').trim()
      machine.must(`echo ${victim} > /srv/victim && chmod 644 /srv/victim`)
      machine.asService('liar', liar, 'python3')
      machine.must('for i in $(seq 200); do test -S /run/trustnet/tnr/tnr.sock && break; sleep 0.1; done')
      const asking = [
        'status',
        'doctor',
        'identity',
        'registry backup',
        'registry diff /root/safe/backup.db',
        'registry status'
      ]
      for (const command of [...asking, `registry promote --kit /root/safe/recovery.kit`]) {
        const { out } = machine.try(`${withKit} trustnet ${command}`)
        expect([machine.snapshot() === before, isClear(out), out]).toEqual([true, true, out])
      }
      const { code, out } = machine.try('trustnet uninstall --purge')
      expect([code, out]).toEqual([0, expect.stringContaining('tnr is uninstalled')])
      expect(
        machine.must(`kill -0 ${victim} && echo alive; id ${user} 2>&1 || true; ls -A /var/lib | grep trustnet || true`)
      ).toMatch(/^alive\n.*no such user\n$/)
      machine.must(`kill ${victim}`)
      return {
        happened: `${asking.length + 2} commands believed no number and no path; the uninstall ended every process of the service user, and none of root's`,
        held: 'nothing that a socket says is signalled, opened or removed as root'
      }
    },
    300_000
  )
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
path = '/run/trustnet/tnr/tnr.sock'
try: os.unlink(path)
except OSError: pass
victim = int(open('/srv/victim').read())
lie = { 'schemaVersion': 1, 'path': '/etc/shadow', 'manifest': '/etc/passwd', 'keyFile': '/etc/shadow', 'word': 'healthy',
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
