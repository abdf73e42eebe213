/** The pages and their addresses. Each page's code is loaded when it is opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Root } from './frame/Root.tsx';
import { NotFound, PageFailure } from './frame/Trouble.tsx';

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: PageFailure });

const page = (path: string, load: () => Promise<Record<string, unknown>>) =>
  createRoute({
    getParentRoute: () => root,
    path,
    validateSearch: (search: Record<string, unknown>) => search,
    component: lazyRouteComponent(load as () => Promise<{ default: React.ComponentType }>, 'default'),
  });

const routes = [
  page('/', () => import('./pages/Dashboard.tsx')),
  page('/start', () => import('./pages/Start.tsx')),
  page('/sessions', () => import('./pages/Sessions.tsx')),
  page('/sessions/$id', () => import('./pages/Session.tsx')),
  page('/hosts/add', () => import('./pages/AddHost.tsx')),
  page('/publishing', () => import('./pages/Publishing.tsx')),
  page('/publishing/add', () => import('./pages/Publish.tsx')),
  page('/access', () => import('./pages/Access.tsx')),
  page('/calendar', () => import('./pages/Calendar.tsx')),
  page('/audit', () => import('./pages/Audit.tsx')),
  page('/audit/$number', () => import('./pages/Entry.tsx')),
  page('/backups', () => import('./pages/Backups.tsx')),
  page('/certificates', () => import('./pages/Certificates.tsx')),
  page('/mailbox', () => import('./pages/Mailbox.tsx')),
  page('/signed-in', () => import('./pages/SignedIn.tsx')),
  page('/account', () => import('./pages/Account.tsx')),
  page('/$kind', () => import('./pages/Kind.tsx')),
  page('/$kind/new', () => import('./pages/NewObject.tsx')),
  page('/$kind/$id', () => import('./pages/Object.tsx')),
];

export const router = createRouter({ routeTree: root.addChildren(routes), defaultPreload: 'intent', scrollRestoration: true });
