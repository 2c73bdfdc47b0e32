import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { freePort } from '../test/helpers/free-port.ts'
import { type Bench, type Benchmark, type Plan, SkippedError } from './harness/benchmark.ts'
import { Child, endAll } from './harness/child.ts'
import { liftedLimits } from './harness/network.ts'
import { networkFolder } from './harness/network-folder.ts'
import { measured } from './harness/rounds.ts'
import type { RootMethods } from './processes/root.ts'

const executablePath = '/usr/bin/chromium'

/** Until the members are listed, the picture is drawn, and a click is answered. */
async function untilInteractive(page: Page, address: string, members: number): Promise<number> {
  const from = performance.now()
  await page.goto(address)
  await page.locator('#members tr').nth(members).waitFor()
  await page.locator('#members .choose').first().click()
  await page.locator('#details h2').waitFor()
  return performance.now() - from
}

/** Frames that the browser drew in a second while the whole picture was dragged. */
async function framesWhileDragging(page: Page, seconds: number): Promise<number> {
  const box = await page.locator('#graph').boundingBox()
  if (box === null) throw new Error('the page shows no picture')
  const at = { x: box.x + 20, y: box.y + 20 }
  await page.mouse.move(at.x, at.y)
  await page.mouse.down()
  await page.evaluate(`
    globalThis.frames = 0
    const count = () => { globalThis.frames++; requestAnimationFrame(count) }
    requestAnimationFrame(count)`)
  const from = performance.now()
  for (let step = 0; performance.now() - from < seconds * 1000; step++) {
    await page.mouse.move(at.x + 150 + 150 * Math.sin(step / 9), at.y + 150 + 150 * Math.cos(step / 9))
  }
  const frames: number = await page.evaluate('globalThis.frames')
  const took = performance.now() - from
  await page.mouse.up()
  return (frames * 1000) / took
}

async function visit(browser: Browser, address: string, members: number, seconds: number) {
  const page = await browser.newPage({ viewport: { width: 1300, height: 800 } })
  try {
    const ms = await untilInteractive(page, address, members)
    return { ms, frames: await framesWhileDragging(page, seconds) }
  } finally {
    await page.close()
  }
}

export const browser: Benchmark = {
  name: 'browser',
  title: 'The page in a browser',
  how: `A new tab of a running Chromium, without a graphics card, on the page of a root with so many members: from its address until all are listed, the picture is drawn
and a click is answered; then frames per second while the picture is dragged. Floor: the same page of a root that is alone. Without Chromium the row is skipped.`,
  parameters: { members: 1_000, seconds: 5 },
  quick: { members: 20, seconds: 1 },

  async prepare(bench: Bench): Promise<Plan> {
    if (!existsSync(executablePath)) throw new SkippedError(`${executablePath} is not there`)
    const { members = 0, seconds = 0 } = bench.parameters
    const full = new Child<RootMethods>('root')
    const alone = new Child<RootMethods>('root')
    const addressOf = async (root: Child<RootMethods>, count: number): Promise<string> => {
      const port = await freePort()
      const folder = await networkFolder(bench, { members: count, records: true })
      await root.call('start', folder, { ...liftedLimits, 'http.listen': `[::1]:${port}` })
      return `http://[::1]:${port}/`
    }
    const [ofFull, ofAlone] = [await addressOf(full, members), await addressOf(alone, 0)]
    const chrome = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    return {
      warmUp: true,
      measures: [
        { name: 'full', run: () => visit(chrome, ofFull, members, seconds) },
        { name: 'alone', run: () => visit(chrome, ofAlone, 0, seconds) }
      ],
      rows: [
        {
          what: `${members.toLocaleString('en-US')} members, until it can be used`,
          unit: 'ms',
          of: measured('full.ms').of,
          floor: measured('alone.ms', 'ms of a root that is alone'),
          aim: { text: '< 2,000 ms', met: (figure) => figure < 2000 }
        },
        {
          what: 'while it is dragged',
          unit: 'frames/s',
          of: measured('full.frames').of,
          floor: measured('alone.frames', 'frames/s of a root that is alone'),
          aim: { text: '≥ 30 frames/s', met: (figure) => figure >= 30 }
        }
      ],
      async [Symbol.asyncDispose]() {
        await chrome.close()
        await endAll([full, alone])
      }
    }
  }
}
