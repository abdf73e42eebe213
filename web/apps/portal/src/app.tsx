import './styles.ts';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, type ComponentType } from 'react';
import { createRoot } from 'react-dom/client';
import { startTranslation } from './i18n/index.ts';
import { queries } from './queries.ts';
import { theme } from '@oriel/look';

const colorScheme = localStorageColorSchemeManager({ key: 'oriel.color-scheme' });

/** Waits for the page's code itself: React shows what it has to wait for only 0.3 s after the start. */
export async function show(page: Promise<{ default: ComponentType }>): Promise<void> {
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
