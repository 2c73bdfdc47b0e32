import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { networkIdText } from '../src/identity/network-id.ts'
import { freePort } from '../test/helpers/free-port.ts'
import { type Bench, type Benchmark, type Plan, type Row, SkippedError } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits, rootName } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { NodeMethods } from './processes/node.ts'
import type { RootMethods } from './processes/root.ts'

const executablePath = '/usr/bin/chromium'
const viewport = { width: 1300, height: 800 }

/** Resolves in the first frame in which that holds. Playwright itself looks twice a second in the end, which is a fourth of the aim. */
const untilFrame = (holds: string): string => `new Promise((resolve) => {
  const look = () => {
    if (${holds}) resolve()
    else requestAnimationFrame(look)
  }
  look()
})`

/** There is something on the layer of the picture that has the members. */
const isDrawn = `(() => {
  const canvas = document.querySelector('#graph canvas[data-id="layer2-node"]')
  const pixels = canvas?.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  return pixels && pixels.some((byte) => byte !== 0)
})()`

/** Until the members are listed, the picture is drawn, and a click is answered. */
async function untilInteractive(page: Page, address: string, members: number): Promise<number> {
  const from = performance.now()
  await page.goto(address)
  await page.evaluate(untilFrame(`document.getElementById('members').rows.length > ${members}`))
  await page.evaluate(untilFrame(isDrawn))
  await page.locator('#members .choose').first().click()
  await page.evaluate(untilFrame(`document.querySelector('#details h2')?.checkVisibility()`))
  return performance.now() - from
}

interface Place {
  readonly x: number
  readonly y: number
}

const countFrames = `
  globalThis.frames = 0
  globalThis.count ??= () => { globalThis.frames++; requestAnimationFrame(globalThis.count) }
  globalThis.counting ??= requestAnimationFrame(globalThis.count)
  undefined`

/** Frames that the browser drew in a second while that which is at a place was dragged in circles. */
async function framesWhileDragging(page: Page, at: Place, seconds: number): Promise<number> {
  await page.mouse.move(at.x, at.y)
  await page.mouse.down()
  await page.evaluate(countFrames)
  const from = performance.now()
  for (let step = 0; performance.now() - from < seconds * 1000; step++) {
    await page.mouse.move(at.x + 150 + 150 * Math.sin(step / 9), at.y + 150 + 150 * Math.cos(step / 9))
  }
  const frames: number = await page.evaluate('globalThis.frames')
  const took = performance.now() - from
  await page.mouse.up()
  return (frames * 1000) / took
}

/** Edges of the picture, and where the root is in it, all others hang on which. */
const pictured = `(() => {
  const { cy } = document.getElementById('graph')._cyreg
  const { x, y } = cy.nodes('[role = "root"]').renderedPosition()
  return { edges: cy.edges().length, x, y }
})()`

async function visit(browser: Browser, address: string, { members, seconds }: { members: number; seconds: number }) {
  const page = await browser.newPage({ viewport })
  try {
    const ms = await untilInteractive(page, address, members)
    const box = await page.locator('#graph').boundingBox()
    if (box === null) throw new Error('the page shows no picture')
    const { edges, x, y }: Place & { edges: number } = await page.evaluate(pictured)
    if (edges < members) throw new Error(`the picture has ${edges} edges of ${members} members`)
    const node = await framesWhileDragging(page, { x: box.x + x, y: box.y + y }, seconds)
    const all = await framesWhileDragging(page, { x: box.x + 20, y: box.y + 20 }, seconds)
    return { ms, node, all }
  } finally {
    await page.close()
  }
}

const victim = 'victim'
/** Clock of the machine, as the processes of a network give it. */
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** Resolves when the row of the member says that it is down. */
const untilTurned = `new Promise((resolve) => {
  const rows = document.getElementById('members')
  const look = () => {
    const row = [...rows.rows].find(({ cells }) => cells[0].textContent === '${victim}')
    if (row?.querySelector('.state.suspect, .state.offline')) resolve()
  }
  new MutationObserver(look).observe(rows, { subtree: true, childList: true, attributes: true, characterData: true })
  look()
})`

/** A root with its page, and a member that is killed again and again while the page is open. */
async function startTurning(bench: Bench, browser: Browser) {
  const port = await freePort()
  const folder = await networkFolder(bench, { members: 0, records: true, open: true })
  const root = new Child<NodeMethods>('node')
  await root.call('start', folder, rootName, { role: 'root', 'http.listen': `[::1]:${port}` })
  const { address, networkId } = await root.call('address')
  const home = join(folder, 'nodes')
  mkdirSync(home)
  const start = async (): Promise<Child<NodeMethods>> => {
    const child = new Child<NodeMethods>('node')
    await child.call('start', home, victim, { networkId: networkIdText(networkId), 'bootstrap.peers': [address] })
    await child.call('ready')
    return child
  }
  let dying = await start()
  const run = async (): Promise<{ ms: number; root: number }> => {
    await root.call('showsOnline', victim)
    const page = await browser.newPage({ viewport })
    try {
      await page.goto(`http://[::1]:${port}/`)
      await page
        .locator('#members tr', { has: page.getByRole('button', { name: victim, exact: true }) })
        .locator('.state.online')
        .waitFor()
      const turned = page.evaluate(untilTurned).then(machineMs)
      const seen = root.call('showsDown', victim)
      const from = machineMs()
      await dying.kill()
      const [inPage, atRoot] = await Promise.all([turned, seen])
      dying = await start()
      return { ms: inPage - from, root: atRoot - from }
    } finally {
      await page.close()
    }
  }
  return { run, stop: async () => await endAll([root, dying]) }
}

const enoughFrames = { text: '≥ 30 frames/s', met: (figure: number) => figure >= 30 }
const shortWait = { text: '< 2,000 ms', met: (figure: number) => figure < 2000 }

const rowsOf = (members: number): Row[] => [
  {
    what: `${members.toLocaleString('en-US')} members, until it can be used`,
    unit: 'ms',
    of: measured('full.ms').of,
    floor: measured('alone.ms', 'ms of a root that is alone'),
    aim: shortWait
  },
  {
    what: 'while all of it is dragged',
    unit: 'frames/s',
    of: measured('full.all').of,
    floor: measured('alone.all', 'frames/s of a root that is alone'),
    aim: enoughFrames
  },
  {
    what: 'while the root is dragged, with the edges of all',
    unit: 'frames/s',
    of: measured('full.node').of,
    floor: measured('alone.node', 'frames/s of a root that is alone'),
    aim: enoughFrames
  },
  {
    what: 'a member is killed, until its row turns',
    unit: 'ms',
    of: measured('turn.ms').of,
    floor: measured('turn.root', 'ms until the root itself says so'),
    aim: shortWait
  }
]

export const browser: Benchmark = {
  name: 'browser',
  title: 'The page in a browser',
  how: `A new tab of a running Chromium, without a graphics card, on the page of a root with so many members, whose records name it: from its address until all are
listed, the picture is drawn and a click is answered; then frames per second while the root, on whom all edges hang, and the whole picture are dragged. Floor: the
same page of a root that is alone. Then a member in a process of its own gets SIGKILL while the page of its root is open, until its row there says so; floor: until
the root does. Without Chromium the rows are skipped.`,
  parameters: { members: 1_000, seconds: 5 },
  quick: { members: 20, seconds: 1 },

  async prepare(bench: Bench): Promise<Plan> {
    if (!existsSync(executablePath)) throw new SkippedError(`${executablePath} is not there`)
    const { members = 0, seconds = 0 } = bench.parameters
    const full = new Child<RootMethods>('root')
    const alone = new Child<RootMethods>('root')
    const addressOf = async (root: Child<RootMethods>, count: number): Promise<string> => {
      const port = await freePort()
      const folder = await networkFolder(bench, { members: count, records: true, leased: true })
      await root.call('start', folder, { ...liftedLimits, 'http.listen': `[::1]:${port}` })
      return `http://[::1]:${port}/`
    }
    const [ofFull, ofAlone] = [await addressOf(full, members), await addressOf(alone, 0)]
    const chrome = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    const turning = await startTurning(bench, chrome)
    return {
      warmUp: true,
      measures: [
        { name: 'full', run: () => visit(chrome, ofFull, { members, seconds }) },
        { name: 'alone', run: () => visit(chrome, ofAlone, { members: 0, seconds }) },
        { name: 'turn', run: turning.run }
      ],
      rows: rowsOf(members),
      async [Symbol.asyncDispose]() {
        await chrome.close()
        await turning.stop()
        await endAll([full, alone])
      }
    }
  }
}
