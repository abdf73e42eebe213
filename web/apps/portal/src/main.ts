/**
 * The first code that runs, and little of it. A session is begun here, before the bulk of the code
 * has come: the farm finds a host and the client connects while the page is still being made.
 */
import { tabSession } from './session/controller.ts';

const isSession = location.pathname.replace(/\/$/, '') === '/session';
if (isSession) tabSession();

// Two pages, each with only the code that it needs. Their styles come after those of all pages.
const app = import('./app.tsx');
const pages = {
  portal: () => import('./portal/PortalPage.tsx'),
  session: () => import('./session/SessionPage.tsx'),
};
const page = pages[isSession ? 'session' : 'portal']();
void app.then(({ show }) => show(page));
