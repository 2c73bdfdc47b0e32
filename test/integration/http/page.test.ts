import { join } from 'node:path'
import axe from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { controlClient } from '../../../src/node/api/client.ts'
import type { PeersView, StatusView } from '../../../src/node/api/views.ts'
import { devPid, type Running, startProgram } from '../../helpers/built-program.ts'
import { ceilingMs } from '../../helpers/ceiling.ts'
import { tempFolder } from '../../helpers/temp.ts'

const wait = { timeout: ceilingMs, interval: 50 }
const folder = tempFolder()
let dev: Running
let browser: Browser
let address = ''

beforeAll(async () => {
  dev = startProgram(['dev', '--nodes', '3', '--dir', folder.path], {})
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  await vi.waitFor(() => expect(dev.soFar()).toContain('5 members: 5 online'), wait)
  const { http } = await controlClient({ path: join(folder.path, 'run', 'root.sock') }).status()
  address = `${http}/`
})

afterAll(async () => {
  await browser?.close()
  dev.process.kill('SIGTERM')
  await dev.ended
  folder[Symbol.dispose]()
})

interface Opened {
  page: Page
  /** Complaints of the browser: refused scripts and styles, errors nobody caught. */
  complaints: string[]
}

const open = async (
  options: { colorScheme?: 'light' | 'dark'; width?: number; change?: (view: PeersView) => void } = {}
): Promise<Opened> => {
  const { colorScheme = 'light', width = 1200, change } = options
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
  page.setDefaultTimeout(ceilingMs)
  onTestFinished(async () => {
    // A question of that moment is answered by nobody any more.
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await page.close()
  })
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  if (change !== undefined) {
    await page.route('**/peers', async (route) => {
      const response = await route.fetch()
      const view: PeersView = await response.json()
      change(view)
      await route.fulfill({ response, json: view })
    })
  }
  await page.goto(address)
  await page.locator('#members tr').nth(4).waitFor()
  return { page, complaints }
}

const rowOf = (page: Page, name: string) =>
  page.locator('#members tr').filter({ has: page.locator('.choose', { hasText: new RegExp(`^${name}(?!\\d)`) }) })

test('shows all members with their states, through whom they are known, and the one that is chosen', async () => {
  const { page, complaints } = await open()
  expect(await page.locator('#members tr').count()).toBe(5)
  for (const name of ['root', 'secondary', 'node-1', 'node-2', 'node-3']) {
    await rowOf(page, name).locator('.state.online').first().waitFor()
  }
  await rowOf(page, 'node-1').getByRole('button').click()
  await page.locator('#details h2', { hasText: 'node-1' }).waitFor()
  expect(await page.locator('#details').textContent()).toContain('12D3KooW')
  expect(complaints).toEqual([])
})

test('a member that is killed turns', async () => {
  const { page } = await open()
  const pid = devPid(folder.path, 'node-3')
  process.kill(pid, 'SIGKILL')
  await rowOf(page, 'node-3').locator('.state:not(.online)').waitFor()
  await page.locator('#counts', { hasText: '4 of 5 online' }).waitFor()
})

test('every tab is reached by keys, and shows what it is for', async () => {
  const { page, complaints } = await open()
  await page.locator('#tab-network').focus()
  await page.keyboard.press('ArrowRight')
  await page.locator('#history-chart canvas').waitFor()
  await page.keyboard.press('ArrowRight')
  await page.locator('#log tr', { hasText: 'admit' }).first().waitFor()
  await page.keyboard.press('ArrowRight')
  await page.locator('#registries tr', { hasText: 'secondary' }).waitFor()
  for (const text of await page.locator('#registries td:nth-child(5)').allTextContents())
    expect(text).toMatch(/^(?:not known|up to date|\d+ behind)/)
  await page.keyboard.press('ArrowRight')
  await page.locator('#parts tr').first().waitFor()
  expect(await page.locator('#resilience').textContent()).toContain('Without the root')
  await page.keyboard.press('Home')
  expect(await page.locator('#tab-network').getAttribute('aria-selected')).toBe('true')
  expect(complaints).toEqual([])
})

test('the row that has the focus keeps it while the page is read anew', async () => {
  const { page } = await open()
  const choose = page.getByRole('button', { name: 'secondary', exact: true })
  await choose.focus()
  for (let read = 0; read < 2; read++) {
    const answered = page.waitForResponse('**/topology')
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await answered
  }
  expect(await choose.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true)
})

test('the log is searched', async () => {
  const { page } = await open()
  await page.locator('#tab-log').click()
  await page.locator('#log tr').nth(4).waitFor()
  await page.locator('#log-search').fill('admit secondary')
  await vi.waitFor(async () => expect(await page.locator('#log tr').count()).toBe(1), wait)
})

test('an alarm stands above every tab with what to do, as text, until somebody has acknowledged it', async () => {
  const { page, complaints } = await open()
  const box = page.getByRole('alert')
  expect(await box.isVisible()).toBe(false)
  const alarm = {
    level: 'alarm' as const,
    code: 'log_fork',
    message: 'Two histories <b>were</b> seen.',
    fix: 'trustnet registry verify',
    acknowledged: false
  }
  await page.route('**/connection/status', async (route) => {
    const response = await route.fetch()
    const view: StatusView = await response.json()
    await route.fulfill({ response, json: { ...view, warnings: [alarm] } })
  })
  const read = () => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await read()
  await box.filter({ hasText: alarm.message }).waitFor()
  expect(await box.locator('code').textContent()).toBe(alarm.fix)
  expect(await box.locator('b').count()).toBe(0)
  await page.locator('#tab-log').click()
  expect(await box.isVisible()).toBe(true)
  await page.locator('#tab-node').click()
  await page.locator('#warnings li', { hasText: alarm.code }).waitFor()
  alarm.acknowledged = true
  await read()
  await box.waitFor({ state: 'hidden' })
  await page.locator('#warnings li', { hasText: '(acknowledged)' }).waitFor()
  expect(complaints).toEqual([])
})

test('names, reasons and addresses with markup in them are text', async () => {
  const markup = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
  const { page, complaints } = await open({
    change: ({ peers }) => {
      for (const peer of peers)
        Object.assign(peer, { name: `${peer.name}${markup}`, reason: markup, addresses: [markup] })
    }
  })
  await rowOf(page, 'node-1').getByRole('button').click()
  expect(await rowOf(page, 'node-1').textContent()).toContain(markup)
  expect(await page.locator('#details').textContent()).toContain(markup)
  expect(await page.locator('main img, main script').count()).toBe(0)
  expect(await page.title()).toContain('TrustNet')
  expect(complaints).toEqual([])
})

describe.each([
  { colorScheme: 'light', width: 1200 },
  { colorScheme: 'dark', width: 1200 },
  { colorScheme: 'light', width: 380 }
] as const)('$colorScheme and $width pixels wide', (options) => {
  test('has nothing that a checker of accessibility finds, and no line that runs out of the window', async () => {
    const { page } = await open(options)
    await page.evaluate(axe.source)
    for (const name of ['network', 'history', 'log', 'registries', 'node']) {
      await page.locator(`#tab-${name}`).click()
      const found: { violations: { id: string; nodes: { html: string }[] }[] } = await page.evaluate('axe.run()')
      expect(found.violations.map(({ id, nodes }) => [name, id, nodes[0]?.html])).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    }
  })
})
