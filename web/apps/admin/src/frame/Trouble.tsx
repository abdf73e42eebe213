import { EmptyState } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../ui/Failure.tsx';
import { LinkButton } from '../ui/Link.tsx';
import { PageHead } from './PageHead.tsx';

export function NotFound() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t('lost.title')} />
      <EmptyState icon={<IconMapOff />} title={t('lost.nothing')} description={t('lost.advice')}>
        <EmptyState.Actions>
          <LinkButton to="/">{t('nav.dashboard')}</LinkButton>
        </EmptyState.Actions>
      </EmptyState>
    </>
  );
}

export function PageFailure({ error, reset }: { error: unknown; reset: () => void }) {
  return <Failure error={error} retry={reset} />;
}
