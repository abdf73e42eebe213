import { Button, SimpleGrid, Stack } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowBackUp } from '@tabler/icons-react';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { Chain } from '../audit/Chain.tsx';
import { Entries } from '../audit/Entries.tsx';
import { Export } from '../audit/Export.tsx';
import { Filters, queryOf } from '../audit/Filters.tsx';
import { Sending } from '../audit/Sending.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { usePlace } from '../ui/go.ts';

const RevertSince = lazy(() => import('../audit/RevertSince.tsx'));
const TYPING_MS = 250;

/** Who did what, when and how; and taking changes back. */
export default function Audit() {
  const { t } = useTranslation();
  const may = useMay();
  const [place, setPlace] = usePlace();
  const setReverting = (is: boolean) => setPlace({ do: is ? 'revert' : undefined });
  const [settled] = useDebouncedValue(place, TYPING_MS);
  const query = queryOf(settled);
  if (!may('audit')) return <NotFound />;
  return (
    <>
      <PageHead
        title={t('nav.audit')}
        actions={
          <>
            <Export query={query} />
            {may('audit', 'modify') && <Button variant="default" leftSection={<IconArrowBackUp size={18} aria-hidden />} onClick={() => setReverting(true)} data-testid="revert-since">{t('revert.since')}</Button>}
          </>
        }
      />
      <Stack>
        <Filters />
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Chain atOnce={place.do === 'check'} />
          <Sending />
        </SimpleGrid>
        <Entries query={query} />
      </Stack>
      <Suspense>{place.do === 'revert' && may('audit', 'modify') && <RevertSince close={() => setReverting(false)} />}</Suspense>
    </>
  );
}
