import { NavLink, ScrollArea, Text } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useMay } from '../sign-in/use-may.ts';
import { PlainLink } from '../ui/Link.tsx';
import { PLACES } from './places.ts';

/** Pages by what they are about. What may not be viewed is not here. */
export function Navigation({ onGo }: { onGo: () => void }) {
  const { t } = useTranslation();
  const may = useMay();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isHere = (to: string) => (to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`));

  return (
    <ScrollArea h="100%" type="auto" scrollbarSize={6} offsetScrollbars="y" viewportProps={{ tabIndex: -1 }}>
      {PLACES.map(({ name, places }) => {
        const shown = places.filter(({ area }) => area === null || may(area));
        if (shown.length === 0) return null;
        return (
          <div key={name ?? ''} role="group" aria-label={name === null ? undefined : t(name)}>
            {name !== null && (
              <Text size="xs" fw={600} c="dimmed" px="sm" pt="sm" pb={4} aria-hidden>
                {t(name)}
              </Text>
            )}
            {shown.map(({ to, name: label, icon: Sign }) => (
              <NavLink
                key={to}
                component={PlainLink}
                to={to}
                label={t(label)}
                active={isHere(to)}
                aria-current={isHere(to) ? 'page' : undefined}
                leftSection={<Sign size={18} stroke={1.5} aria-hidden />}
                onClick={onGo}
                py={6}
              />
            ))}
          </div>
        );
      })}
    </ScrollArea>
  );
}
