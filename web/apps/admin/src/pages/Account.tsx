import { Paper, SimpleGrid, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Browser } from '../account/Browser.tsx';
import { Facts } from '../account/Facts.tsx';
import { Password } from '../account/Password.tsx';
import { SecondFactor } from '../account/SecondFactor.tsx';
import { SignIns } from '../account/SignIns.tsx';
import { Tokens } from '../account/Tokens.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { useMay, useMe } from '../sign-in/use-may.ts';
import { useSection } from '../ui/section.ts';

function Card({ title, id, children }: { title: string; id?: string; children: ReactNode }) {
  return (
    <Paper withBorder p="md" className="card section" {...(id === undefined ? {} : { id })}>
      <Title order={2} size="h4" mb="sm">{title}</Title>
      {children}
    </Paper>
  );
}

/** An administrator's own account. Who calls with a token has none, and sees the rest. */
export default function Account() {
  const { t } = useTranslation();
  const me = useMe();
  const may = useMay();
  useSection(me.session != null);
  return (
    <>
      <PageHead title={t('account.title')} />
      <Stack>
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Stack>
            <Card title={t('settings.me')}><Facts me={me} /></Card>
            <Card title={t('settings.browser')}><Browser /></Card>
          </Stack>
          {me.session && (
            <Stack>
              <Card id="factor" title={t('factor.title')}><SecondFactor me={me} /></Card>
              <Card id="password" title={t('password.own')}><Password me={me} /></Card>
            </Stack>
          )}
        </SimpleGrid>
        {me.session && <Card title={t('account.sign_ins')}><SignIns /></Card>}
        {may('administrators') && <Card title={t('token.own')}><Tokens me={me} /></Card>}
      </Stack>
    </>
  );
}
