import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { removeTree } from '../../src/base/remove-tree.ts'

/** Debian's Chromium. */
const CHROMIUM = '/usr/bin/chromium'

/** Whether this host has the browser that {@link openBrowser} starts. */
export const HAS_CHROMIUM = existsSync(CHROMIUM)

/** A browser with a profile of its own, which goes away with it. */
export interface Browser {
  readonly context: BrowserContext
  readonly close: () => Promise<void>
}

/** Starts Chromium without a window. It asks for nothing that its pages do not ask for. */
export async function openBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'fixpoint-test-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  return {
    context,
    close: async () => {
      await context.close()
      await removeTree(profile)
    },
  }
}

/** A file in a window of the browser. */
export interface Opened {
  readonly page: Page
  /** Milliseconds from the start to the end of loading. */
  readonly took: number
  /** What it asked for beside itself, and what it or the browser complained about. */
  readonly trouble: readonly string[]
}

/** Opens a file in a window that is `width` pixels wide. */
export async function openFile(
  { context }: Browser,
  file: string,
  width: number,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<Opened> {
  const page = await context.newPage()
  await page.setViewportSize({ width, height: 900 })
  await page.emulateMedia({ colorScheme })
  const trouble: string[] = []
  const url = pathToFileURL(file).href
  page.on('console', (message) => trouble.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => trouble.push(error.message))
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) trouble.push(request.url())
  })
  await page.goto(url)
  const took = await page.evaluate<number>('performance.getEntriesByType("navigation")[0].duration')
  return { page, took, trouble }
}

/** Opens all that is folded up, and names what then is wider than the window, or makes it so. */
export async function tooWide(page: Page): Promise<readonly string[]> {
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => (one.open = true))`)
  return page.evaluate<string[]>(`[
    ...[...document.querySelectorAll('body *')]
      .filter((one) => !one.closest('.scroll, .treemap, .run, .step, .skip'))
      .filter((one) => one.getBoundingClientRect().right > innerWidth)
      .map((one) => one.outerHTML.slice(0, 100)),
    ...(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []),
  ]`)
}
