import './styles.ts';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, type ComponentType } from 'react';
import { createRoot } from 'react-dom/client';
import { startTranslation } from './i18n/index.ts';
import { queries } from './queries.ts';
import { beginLaunch } from './session/launch.ts';
import { theme } from './theme.ts';

// Two pages, each with only the code that it needs.
const openPortal = () => import('./portal/PortalPage.tsx');
const openSession = () => {
  beginLaunch();
  return import('./session/SessionPage.tsx');
};
const isSession = location.pathname.replace(/\/$/, '') === '/session';
const page: Promise<{ default: ComponentType }> = isSession ? openSession() : openPortal();

const colorScheme = localStorageColorSchemeManager({ key: 'oriel.color-scheme' });

void show();

/**
 * Waits for the page's code itself: React shows what it had to wait for only 0.3 s after the start.
 * Not at the module's top level, since the page's code waits for this module.
 */
async function show(): Promise<void> {
  const [{ default: Page }] = await Promise.all([page, startTranslation()]);
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorScheme}>
        <QueryClientProvider client={queries}>
          <Page />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
