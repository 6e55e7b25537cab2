// Checks pages with axe-core in Chromium, at two widths, light and dark, with all folds open, and takes pictures.
//
//     node tools/axe.mjs MODULES PICTURES PAGE...
//
// MODULES is a folder whose node_modules has axe-core and puppeteer-core; PICTURES a folder for the screenshots. Writes
// one JSON object: for each page its findings, what is wider than the page, and what the Tab key reaches.
import { createRequire } from "node:module";
import { resolve, basename, dirname } from "node:path";

const [modules, pictures, ...pages] = process.argv.slice(2);
const require = createRequire(resolve(modules, "package.json"));
const puppeteer = require("puppeteer-core");
const axe = require.resolve("axe-core/axe.min.js");
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--allow-file-access-from-files"],
});
const found = {};
for (const path of pages) {
  const name = basename(dirname(resolve(path)));
  found[name] = [];
  for (const width of [390, 1280]) for (const scheme of ["light", "dark"]) {
    const page = await browser.newPage();
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.goto("file://" + resolve(path));
    await page.screenshot({ path: `${pictures}/${name}-${width}-${scheme}-top.png` });
    const closed = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
    await page.screenshot({ path: `${pictures}/${name}-${width}-${scheme}.png`, fullPage: true });
    await page.addScriptTag({ path: axe });
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ["violations", "incomplete"] }));
    const open = await page.evaluate(() => document.documentElement.scrollWidth);
    const cut = await page.evaluate(() => [...document.querySelectorAll("svg.plot")].filter((plot) => {
      const box = plot.getBoundingClientRect();
      const out = [...plot.querySelectorAll("text")].some((text) => {
        const at = text.getBoundingClientRect();
        return at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1 || at.bottom > box.bottom + 1;
      });
      return out || box.left < 0 || box.right > innerWidth + 1;
    }).map((plot) => plot.getAttribute("aria-label").slice(0, 60)));
    const letters = await page.evaluate(() => Math.min(...[...document.querySelectorAll("svg.plot text")].map(
      (text) => parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))));
    const stops = await page.evaluate(() => [...document.querySelectorAll("summary, [tabindex='0'], a[href]")].length);
    let reached = 0;
    for (let i = 0; i < stops; i++) {
      await page.keyboard.press("Tab");
      reached += await page.evaluate(() => document.activeElement !== document.body ? 1 : 0);
    }
    const brief = (each) => ({
      rule: each.id, impact: each.impact, count: each.nodes.length, first: each.nodes[0].html.slice(0, 120),
      why: each.nodes[0].failureSummary,
    });
    found[name].push({
      width, scheme, violations: result.violations.map(brief), unsure: result.incomplete.map(brief),
      passed: result.passes.length, scrolls: Math.max(closed, open) > width, cut, smallest_letters: letters, stops, reached,
    });
    await page.close();
  }
}
await browser.close();
console.log(JSON.stringify({ axe: require("axe-core/package.json").version, pages: found }));
