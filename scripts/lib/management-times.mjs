// What the management portal feels like, measured in the browser: from one page to the next, and long lists.

/** What shows that a page is there whose content is more than its heading. */
const SHOWS = { "/": "main:has([data-testid=tiles]):has(.recharts-cartesian-axis-tick)", "/publishing": "[data-testid=tree]", "/audit": "[data-testid=history], [data-testid=row]" };
/** A list's rows, or that there are none. */
const ROWS = "[data-testid=row], main .mantine-EmptyState-root";
/** Pages that are lists. */
const LISTS = ["/hosts", "/pools", "/schedules", "/policies", "/logon_hours", "/users", "/groups", "/sites", "/gateways", "/brokers", "/administrators"];
const DEADLINE_MS = 30_000;
/** How far the wheel turns in one frame, in pixels, and for how many frames. */
const WHEEL = 300;
const FRAMES = 300;

export async function signIn(page, address, { user_name, password }) {
  await page.goto(address);
  await page.locator("input[name=username]").fill(user_name);
  await page.locator("input[name=password]").fill(password);
  await page.locator("button[type=submit]").click();
  await page.getByTestId("user-menu").waitFor();
}

/**
 * Goes to every page of the navigation by clicks, and then to each once more. Gives the milliseconds from the click
 * to the first picture of the page with its content.
 */
export async function pageTimes(page, report) {
  const paths = await page.locator("nav a[href^='/']").evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute("href")))]);
  if (paths.length < LISTS.length) throw new Error(`the navigation has ${paths.length} pages only: ${paths.join(", ")}`);
  const times = { first: [], again: [] };
  for (const round of ["first", "again"]) {
    // The page that is open is left before it is gone to.
    for (const path of [...paths.slice(1), paths[0]]) {
      report(`${path}, ${round}`);
      const shows = SHOWS[path] ?? (LISTS.includes(path) ? ROWS : "main h1");
      times[round].push({ path, ms: await page.evaluate(untilShown, { path, shows, deadline: DEADLINE_MS }) });
      // Whoever has come to a page looks at it.
      await page.waitForTimeout(500);
    }
  }
  return times;
}

/** Runs in the page. Skeletons stand for what is still to come. */
function untilShown({ path, shows, deadline }) {
  return new Promise((resolve, reject) => {
    const heading = () => document.querySelector("main h1")?.textContent;
    const before = heading();
    const begun = performance.now();
    document.querySelector(`nav a[href="${path}"]`).click();
    const look = () => {
      const isThere = location.pathname.startsWith(path) && document.querySelector(shows) && heading() && heading() !== before
        && !document.querySelector("main .mantine-Skeleton-root, main [data-loading]");
      // The frame that is drawn with it ends before the next one begins.
      if (isThere) requestAnimationFrame(() => resolve(performance.now() - begun));
      else if (performance.now() - begun > deadline) reject(new Error(`${path} did not show ${shows}`));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** Milliseconds until a long list has its first rows, until a search has its own, and between frames while it is scrolled. */
export async function listTimes(page, path, words) {
  const opened = await page.evaluate(untilShown, { path, shows: "[data-testid=row]", deadline: DEADLINE_MS });
  await page.waitForTimeout(500);
  const frames = await page.evaluate(scrolled, { wheel: WHEEL, count: FRAMES });
  const like = await page.evaluate(rowsLike);
  const rows = await page.locator("[data-testid=list] table").getAttribute("aria-rowcount");
  const search = page.getByTestId("list-search");
  await search.fill(words);
  const searched = await page.evaluate(untilFound, { words, deadline: DEADLINE_MS });
  await search.fill("");
  return { opened, frames, searched, rows: Number(rows) - 1, like };
}

/** Milliseconds between frames while rows that are nothing but text are scrolled as the list was: what this browser does here at best. */
export async function plainTimes(page, { rows, like }) {
  await page.goto("about:blank");
  await page.evaluate(makePlain, { rows, like });
  await page.waitForTimeout(500);
  return page.evaluate(scrolled, { wheel: WHEEL, count: FRAMES });
}

/** Runs in the page: what the list and one of its rows look like. */
function rowsLike() {
  const list = document.querySelector("[data-testid=list]").getBoundingClientRect();
  const row = document.querySelector("[data-testid=row]");
  return { width: list.width, height: list.height, row: row.getBoundingClientRect().height, cells: [...row.cells].map((cell) => cell.textContent) };
}

/** Runs in an empty page: as many rows of the same size, each with a text as long as a row's. */
function makePlain({ rows, like }) {
  const list = document.createElement("div");
  list.dataset.testid = "list";
  Object.assign(list.style, { position: "relative", overflow: "auto", width: `${like.width}px`, height: `${like.height}px`, font: "14px sans-serif" });
  for (let index = 0; index < rows; index++) {
    const row = document.createElement("div");
    Object.assign(row.style, { position: "absolute", top: `${index * like.row}px`, height: `${like.row}px`, whiteSpace: "pre" });
    row.textContent = [index, ...like.cells].join("    ");
    list.append(row);
  }
  document.body.append(list);
}

/** Runs in the page: scrolls the list a little in each frame. Gives the milliseconds from each frame to the next. */
function scrolled({ wheel, count }) {
  return new Promise((resolve) => {
    const list = document.querySelector("[data-testid=list]");
    const frames = [];
    let last = performance.now();
    const next = (now) => {
      frames.push(now - last);
      last = now;
      if (frames.length > count) resolve(frames.slice(1));
      else {
        list.scrollTop += wheel;
        requestAnimationFrame(next);
      }
    };
    requestAnimationFrame(next);
  });
}

/** Runs in the page: until every row that is shown has the words in it. */
function untilFound({ words, deadline }) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const look = () => {
      const rows = [...document.querySelectorAll("[data-testid=row]")];
      if (rows.length > 0 && rows.every((row) => row.textContent.includes(words))) resolve(performance.now() - begun);
      else if (performance.now() - begun > deadline) reject(new Error(`the search for ${words} found nothing`));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}
