import './styles.ts';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, lazy, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { startTranslation } from './i18n/index.ts';
import { queries } from './queries.ts';
import { theme } from './theme.ts';

// Two pages, each with only the code that it needs.
const isSession = location.pathname.replace(/\/$/, '') === '/session';
// The session's client is the largest part: it comes while everything else does.
if (isSession) void import('@oriel/session').then(({ ironRdp }) => ironRdp.load()).catch(() => {});
const page = isSession ? import('./session/SessionPage.tsx') : import('./portal/PortalPage.tsx');
const Page = lazy(() => page);

const colorScheme = localStorageColorSchemeManager({ key: 'oriel.color-scheme' });

await startTranslation();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorScheme}>
      <QueryClientProvider client={queries}>
        <Suspense fallback={null}>
          <Page />
        </Suspense>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
