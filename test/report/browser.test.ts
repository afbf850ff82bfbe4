import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findChromium } from './chromium.ts';
import { makePage, syntheticPart } from './make-page.ts';

const executablePath = findChromium();

// Run in the page, and written as text because it is no part of this program.
const CHOSEN = "/ chosen$/.test(document.querySelector('.filters output').textContent)";
const NOT_CHOSEN = "document.querySelector('.filters output').textContent === ''";

describe.skipIf(executablePath === undefined)('the page in Chromium (skipped where there is none)', () => {
  let browser: Browser;
  let folder = '';
  let small = '';

  async function save(name: string, html: string): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, html);
    return pathToFileURL(file).href;
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dse-report-'));
    browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] });
    small = await save('small.html', (await makePage([syntheticPart({ batches: 2 })])).page);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page, with everything it complained of or asked the network for. */
  async function open(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== url) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    // Pictures are drawn when they come near the screen.
    await page.locator('.chart[data-chart="front-1"]').scrollIntoViewIfNeeded();
    await page.waitForSelector('[data-chart="front-1"] svg');
    return { page, complaints };
  }

  const shown = (page: Page) => page.locator('.filters output').textContent();

  test('draws every picture without a complaint and without the network', async () => {
    const { page, complaints } = await open(small);
    await drawAll(page);
    const empty = await page.locator('.chart:not(:has(svg))').count();
    expect(empty).toBe(0);
    expect(await page.locator('.chart svg').count()).toBeGreaterThan(10);
    expect(complaints).toEqual([]);
  });

  test('pointing at a configuration shows its settings and its figures', async () => {
    const { page } = await open(small);
    const point = page.locator('[data-chart="front-1"] svg path[aria-roledescription="point"]').last();
    const box = await point.boundingBox();
    if (box === null) throw new Error('the point has no place');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tip = page.locator('.tip');
    await tip.waitFor({ state: 'visible' });
    const text = await tip.innerText();
    for (const word of ['model', 'batch', 'load', 'latency_mean_ms (ms)', 'on the front']) expect(text).toContain(word);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);
  });

  test('a brush over one picture filters the table and the other pictures', async () => {
    const { page } = await open(small);
    await page.waitForSelector('[data-chart="front-2"] svg');
    const box = await page.locator('[data-chart="front-1"] svg').boundingBox();
    if (box === null) throw new Error('the picture has no place');
    await page.mouse.move(box.x + 0.2 * box.width, box.y + 0.35 * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 0.8 * box.height, { steps: 4 });
    await page.mouse.up();
    await page.waitForFunction(CHOSEN);
    const [, chosen, all] = /^(\d+) of (\d+) chosen$/.exec((await shown(page)) ?? '') ?? [];
    expect(Number(all)).toBeGreaterThan(20);
    expect(Number(chosen)).toBeGreaterThan(0);
    expect(Number(chosen)).toBeLessThan(Number(all));
    expect(await page.locator('.chosen tbody tr').count()).toBe(Number(chosen));
    const faded = page.locator('[data-chart="front-2"] svg path[aria-roledescription="point"][opacity="0.08"]');
    expect(await faded.count()).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Show all' }).click();
    await page.waitForFunction(NOT_CHOSEN);
    expect(await faded.count()).toBe(0);
  });

  test('the keyboard alone chooses levels and walks through the table', async () => {
    const { page } = await open(small);
    const rows = page.locator('.chosen tbody tr');
    await page.locator('.filters select[name="1"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(CHOSEN);
    expect(await rows.first().innerText()).toMatch(/\t1\t/);
    await rows.first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.chosen tbody tr:nth-child(2):focus').count()).toBe(1);
    // The row in focus is ringed in the picture.
    expect(await page.locator('[data-chart="front-1"] svg path[stroke="var(--ink)"]').count()).toBe(1);
  });

  test('what is behind a picture opens as a table', async () => {
    const { page } = await open(small);
    const data = page.locator('details.data[data-chart="front-1"]');
    await data.locator('summary').click();
    expect(await data.locator('tbody tr').count()).toBeGreaterThan(20);
  });

  test('on paper every picture is drawn, everything is unfolded and the colours are those of paper', async () => {
    const { page, complaints } = await open(small, { colorScheme: 'dark' });
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.toString('latin1').match(/\/Type ?\/Page\b/g)?.length).toBeGreaterThan(4);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.chart:not(:has(svg))').count()).toBe(0);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(complaints).toEqual([]);
  });

  test('in the dark paper is dark and ink is light, in pictures too', async () => {
    const { page } = await open(small, { colorScheme: 'dark' });
    const colours = await page.evaluate(`({
      paper: getComputedStyle(document.body).backgroundColor,
      label: getComputedStyle(document.querySelector('.role-axis-label text')).fill,
    })`);
    expect(colours).toEqual({ paper: 'rgb(20, 23, 26)', label: 'rgb(230, 232, 234)' });
  });

  test('on a phone nothing is wider than the screen', async () => {
    const { page, complaints } = await open(small, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    await drawAll(page);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    const wide = await page.evaluate(
      "[...document.querySelectorAll('.chart svg')].filter((picture) => picture.getBoundingClientRect().width > 390).length",
    );
    expect(wide).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('50,000 trials load, say what they leave out, and answer to a choice', async () => {
    const part = syntheticPart({
      batches: 16,
      threads: 8,
      cpus: 8,
      interOpThreads: 8,
      replicates: 1,
      withTables: false,
    });
    expect(part.analysis.counts.rows).toBe(49_152);
    const { page: html } = await makePage([part]);
    expect(Buffer.byteLength(html)).toBeLessThan(8e6);
    const { page, complaints } = await open(await save('large.html', html));
    const notes = await page.locator('.note').allInnerTexts();
    expect(notes.join(' ')).toMatch(
      /Shown are all \d+ configurations of the front and a random sample of \d+ of the \d+ others/,
    );
    expect(notes.join(' ')).toContain('49152 trials are counted in 200 equal stretches of time');
    await page.locator('.filters select[name="0"]').selectOption({ index: 1 });
    await page.waitForFunction(CHOSEN);
    await drawAll(page);
    expect(complaints).toEqual([]);
  }, 120_000);
});

/** Draws what was not scrolled to, as printing does. */
async function drawAll(page: Page): Promise<void> {
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
}
