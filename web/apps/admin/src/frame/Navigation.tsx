import { NavLink, ScrollArea, Text } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import { memo, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '../sign-in/use-may.ts';
import { PlainLink } from '../ui/Link.tsx';
import { PLACES, type Place } from './places.ts';

/** Pages by what they are about. What may not be viewed is not here. */
export function Navigation({ onGo }: { onGo: () => void }) {
  const { t } = useTranslation();
  const may = useMay();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isHere = ({ to, also = to }: Place) => path === to || (to !== '/' && [to, also].some((each) => path.startsWith(`${each}/`)));

  const viewport = useRef<HTMLDivElement>(null);
  // Where one is must be seen, also in a window that is too low for all pages.
  useEffect(() => {
    const all = viewport.current;
    const here = all?.querySelector('[aria-current=page]')?.getBoundingClientRect();
    if (!all || !here) return;
    const { top, bottom } = all.getBoundingClientRect();
    all.scrollTop += Math.max(0, here.bottom - bottom) - Math.max(0, top - here.top);
  }, [path]);

  return (
    <ScrollArea h="100%" type="auto" scrollbarSize={6} offsetScrollbars="y" viewportRef={viewport} viewportProps={{ tabIndex: -1 }}>
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
            {shown.map((place) => <PlaceLink key={place.to} place={place} isHere={isHere(place)} onGo={onGo} />)}
          </div>
        );
      })}
    </ScrollArea>
  );
}

/** Drawn again only where one was and where one is now. */
const PlaceLink = memo(function PlaceLink({ place, isHere, onGo }: { place: Place; isHere: boolean; onGo: () => void }) {
  const { t } = useTranslation();
  return (
    <NavLink
      component={PlainLink}
      to={place.to}
      label={t(place.name)}
      active={isHere}
      aria-current={isHere ? 'page' : undefined}
      leftSection={<place.icon size={18} stroke={1.5} aria-hidden />}
      onClick={onGo}
      py={6}
    />
  );
});
