/**
 * The first code that runs, and little of it. A session is begun here: the farm finds a host and the
 * client connects while the page around the picture is still being made.
 */
import { tabSession } from './session/controller.ts';

/**
 * How long the connection has the processor for itself before the page's own code is read. Mostly it
 * needs less, and the page is then made while the host draws; on a slow network the page comes first.
 */
const HEAD_START_MS = 250;

// Two pages, each with only the code that it needs.
const PAGES = {
  portal: () => import('./portal/PortalPage.tsx'),
  session: () => import('./session/SessionPage.tsx'),
};

async function begin(name: keyof typeof PAGES): Promise<void> {
  if (name === 'session') {
    const headStart = new Promise((resolve) => setTimeout(resolve, HEAD_START_MS));
    await Promise.race([tabSession().underway(), headStart]);
  }
  // The page's styles come after those of all pages.
  const app = import('./app.tsx');
  const page = PAGES[name]();
  await (await app).show(page);
}

void begin(location.pathname.replace(/\/$/, '') === '/session' ? 'session' : 'portal');
