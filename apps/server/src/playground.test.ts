import { existsSync } from "node:fs";
import { Generator } from "@llm/toolchain";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "./server.ts";
import { holdSteps } from "./testing/demo-server.ts";

const BROWSER = "/usr/bin/chromium";
const missing = !existsSync(BROWSER) && process.env.LLM_TEST_REQUIRE_ALL !== "1";

/** A model on a busy machine takes its time. */
const poll = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 20_000 });

describe.skipIf(missing)("the playground", () => {
  let generator: Generator;
  let app: ReturnType<typeof createServer>;
  let browser: Browser;
  let address: string;
  const problems: string[] = [];

  beforeAll(async () => {
    generator = await Generator.fromPretrained("demo", { batchSize: 4 });
    app = createServer({ models: [{ id: "demo", open: async () => generator }] });
    address = await app.listen({ port: 0, host: "127.0.0.1" });
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: BROWSER, args });
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  /** The page, opened; what it complains about, and whom it asks besides its server, is gathered. */
  async function open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage(options);
    page.on("pageerror", ({ message }) => problems.push(message));
    page.on("console", (said) => said.type() === "error" && problems.push(said.text()));
    page.on("request", (request) => request.url().startsWith(address) || problems.push(request.url()));
    await page.goto(`${address}/${hash}`);
    await page.locator("#model option").first().waitFor({ state: "attached" });
    return page;
  }

  it("streams a conversation, and stops when told to", async () => {
    const page = await open("#chat");
    await page.fill("#set-max_tokens", "400");
    await page.fill("#set-temperature", "0"); // at which no answer here ends by itself so soon
    const release = holdSteps(generator, 12);
    await page.getByRole("textbox", { name: "Message", exact: true }).fill("Write a function.");
    await page.keyboard.press("Enter");
    const said = page.locator(".turn.assistant .said");
    await poll(async () => (await said.textContent())?.length ?? 0).toBeGreaterThan(10);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    release();
    const stopped = await said.textContent();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await said.textContent()).toBe(stopped);
    expect(await page.locator(".meter").textContent()).toMatch(/ms to the first token.*tok\/s/);
    await page.fill("#set-max_tokens", "6");
    await page.getByRole("button", { name: "Regenerate" }).click();
    await poll(() => page.locator(".meter").textContent()).toMatch(/6 tokens/);
    await page.close();
  });

  it("fills in at the cursor, and takes it back", async () => {
    const page = await open("#infill");
    const code = page.getByLabel("Code with a gap where the cursor is");
    await page.fill("#set-max_tokens", "8");
    await code.fill("def add(a, b):\n    return \n\nprint(add(1, 2))\n");
    await page.evaluate('document.querySelector("textarea.code").setSelectionRange(26, 26)');
    await page.keyboard.press("Control+Enter");
    await poll(() => code.inputValue()).toMatch(/^def add\(a, b\):\n {4}return [\s\S]+\n\nprint\(add\(1, 2\)\)\n$/);
    await page.getByRole("button", { name: "Undo" }).click();
    expect(await code.inputValue()).toBe("def add(a, b):\n    return \n\nprint(add(1, 2))\n");
    await page.close();
  });

  it("shows every token's odds, and what else might have come", async () => {
    const page = await open("#complete");
    await page.check("#set-tokens");
    await page.fill("#set-max_tokens", "5");
    await page.getByRole("button", { name: "Go on" }).click();
    const tokens = page.locator(".token");
    await poll(() => tokens.count()).toBe(5);
    await tokens.first().focus();
    const rows = page.locator("#alternatives tr");
    expect(await rows.count()).toBeGreaterThanOrEqual(5);
    expect(await page.locator("#alternatives tr.taken").count()).toBe(1);
    const odds = await page.locator("#alternatives td:last-child").allTextContents();
    const shares = odds.map((text) => Number.parseFloat(text.replace("< ", "")));
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    expect(await page.locator("#alternatives .id").textContent()).toMatch(/^token \d+ · ln p = -\d/);
    await page.getByRole("link", { name: "Chat" }).click();
    expect(await page.locator("#alternatives").count()).toBe(0);
    await page.close();
  });

  it("puts settings away where a window becomes narrow, and back where it is wide", async () => {
    const page = await open("#chat", { viewport: { width: 1000, height: 700 } });
    const settings = page.locator("#settings");
    expect(await settings.getAttribute("open")).not.toBeNull();
    await page.setViewportSize({ width: 390, height: 780 });
    await poll(() => settings.getAttribute("open")).toBeNull();
    await page.setViewportSize({ width: 1000, height: 700 });
    await poll(() => settings.getAttribute("open")).not.toBeNull();
    await page.close();
  });

  it("is used without a mouse: Escape stops an answer", async () => {
    const page = await open("#chat");
    await page.fill("#set-max_tokens", "400");
    await page.getByRole("textbox", { name: "Message", exact: true }).focus();
    const release = holdSteps(generator, 3);
    await page.keyboard.type("Hello");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    release();
    await page.close();
  });

  it("shows what is running, and fits a phone", async () => {
    const page = await open("#slots", { viewport: { width: 390, height: 780 } });
    await poll(() => page.locator(".slots tbody tr").count()).toBe(4);
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    expect(wide).toBeLessThanOrEqual(390);
    await page.close();
  });

  it("complains of nothing and asks nobody else", () => {
    expect(problems).toEqual([]);
  });
});
