import { Breadcrumbs, Group, Title } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from '../ui/Link.tsx';

export interface Crumb {
  label: string;
  to: string;
}

/** Which page had the focus last: who loads the first page has not come from another. */
let lastPath: string | null = null;

/** A page's title, the way to it and what can be done on it. After a change of page the title has the focus. */
export function PageHead({ title, crumbs = [], actions, beside }: { title: string; crumbs?: Crumb[]; actions?: ReactNode; beside?: ReactNode }) {
  const { t } = useTranslation();
  const heading = useRef<HTMLHeadingElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => {
    document.title = `${title} · Oriel`;
  }, [title]);
  useEffect(() => {
    if (lastPath !== null && lastPath !== path) heading.current?.focus({ preventScroll: true });
    lastPath = path;
  }, [path]);

  return (
    <header>
      {crumbs.length > 0 && (
        <Breadcrumbs component="nav" aria-label={t('crumbs')} mb={4} separatorMargin={6} fz="sm">
          {crumbs.map(({ label, to }) => (
            <Link key={to} to={to} size="sm">
              {label}
            </Link>
          ))}
        </Breadcrumbs>
      )}
      <Group justify="space-between" align="center" mb="md" gap="sm">
        <Group gap="sm" wrap="wrap" miw={0}>
          <Title order={1} size="h2" ref={heading} tabIndex={-1} style={{ outline: 'none', overflowWrap: 'anywhere' }}>
            {title}
          </Title>
          {beside}
        </Group>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
    </header>
  );
}
