/** The first code that runs: the language, then the frame; each page is loaded when it is opened. */
import '@mantine/core/styles.css';
import '@mantine/spotlight/styles.css';
import '@oriel/look/colours.css';
import './ui/admin.css';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { theme } from '@oriel/look';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { startTranslation } from './i18n/index.ts';
import { queries } from './queries.ts';
import { router } from './router.tsx';

const colorScheme = localStorageColorSchemeManager({ key: 'oriel.color-scheme' });

async function begin(): Promise<void> {
  await startTranslation();
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorScheme}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

void begin();
