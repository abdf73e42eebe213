import { Button, Group, Loader, Stack, Text, TextInput } from '@mantine/core';
import { call } from '@oriel/api/management';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconExternalLink } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changed } from '../queries.ts';
import { Failure } from '../ui/Failure.tsx';
import { LinkButton } from '../ui/Link.tsx';
import { gateways } from './progress.ts';

/** The users' portal: where it is, and waiting until somebody has opened something there. */
export function Open() {
  const { t } = useTranslation();
  const [address, setAddress] = useState('');
  const found = useQuery(gateways).data ?? [];
  const known = found.find(({ spec }) => spec.public_address)?.spec.public_address;
  const gateway = found.find(({ state }) => state.reachable) ?? found[0];
  const save = useMutation({
    mutationFn: () => call('PATCH', `/gateways/${gateway?.id}`, { revision: gateway?.revision ?? 0, body: { spec: { public_address: address.trim() } } }),
    onSettled: () => changed('gateways'),
  });
  return (
    <Stack gap="sm">
      <Text size="sm">{t('start.open.text')}</Text>
      {known ? (
        <>
          <Group>
            <Button component="a" href={`https://${known}/`} target="_blank" rel="noopener noreferrer" leftSection={<IconExternalLink size={18} aria-hidden />} data-testid="portal-link">{t('start.open.portal', { address: known })}</Button>
            <LinkButton to="/access" variant="default">{t('start.open.check')}</LinkButton>
          </Group>
          <Group gap="sm" wrap="nowrap" role="status"><Loader size={18} /><Text size="sm">{t('start.open.waiting')}</Text></Group>
        </>
      ) : (
        <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
          <Stack gap="sm" align="flex-start">
            <TextInput
              w="100%" maw={480} label={t('start.open.address')} description={t('start.open.address_help', { name: gateway?.name ?? '' })} placeholder={gateway?.state.machine_name ?? ''}
              value={address} maxLength={260} onChange={(event) => setAddress(event.currentTarget.value)} data-testid="public-address"
            />
            {save.isError && <Failure error={save.error} />}
            <Button type="submit" loading={save.isPending} disabled={address.trim() === '' || gateway === undefined}>{t('start.open.set')}</Button>
          </Stack>
        </form>
      )}
    </Stack>
  );
}
