import { Alert, Button, Code, CopyButton, Group, Loader, Paper, Stack, Text } from '@mantine/core';
import type { InvitationView, IssuedInvitation } from '@oriel/api/management';
import { useQuery } from '@tanstack/react-query';
import { IconCheck, IconCopy, IconPlugConnected } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { object, type Shown } from '../queries.ts';
import { LinkButton } from '../ui/Link.tsx';

/** How often is looked whether the invited machine has come. */
const LOOK_EVERY_MS = 2_000;

export type Joining = 'agent' | 'gateway';

/** What makes a machine a part of the farm, as it is pasted: it joins, gets its node file, and runs. */
export function commandOf(role: Joining, invitation: string): string {
  const [folder, file] = [`/var/lib/oriel-${role}`, `/etc/oriel-${role}.toml`];
  return [`oriel ${role} join '${invitation}' --data ${folder}`, `echo 'data_dir = "${folder}"' > ${file}`, `oriel ${role} run --config ${file}`].join('\n');
}

/** The command, and what has become of it: waits until the machine has joined, and then until it is connected. */
export function Invited({ invitation, role }: { invitation: IssuedInvitation; role: Joining }) {
  const { t } = useTranslation();
  const command = commandOf(role, invitation.string);
  const plural = role === 'agent' ? 'hosts' : 'gateways';
  const now = useQuery({
    ...object<InvitationView>('invitations', invitation.id),
    refetchInterval: ({ state }) => (state.data?.state === 'open' || !state.data ? LOOK_EVERY_MS : false),
  });
  const used = now.data?.spec.used;
  const come = useQuery({
    ...object<Shown>(plural, used?.component ?? ''), enabled: used != null,
    refetchInterval: ({ state }) => (isConnected(state.data) ? false : LOOK_EVERY_MS),
  });
  return (
    <Paper withBorder p="md" className="card">
      <Stack>
        <Text size="sm">{t(`invite.run_${role}`)}</Text>
        <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} tabIndex={0} data-testid="command">{command}</Code>
        <Group>
          <CopyButton value={command}>
            {({ copied, copy }) => <Button variant="default" leftSection={copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />} onClick={copy}>{t(copied ? 'copied' : 'copy')}</Button>}
          </CopyButton>
        </Group>
        <div role="status" data-testid="joining">
          {used && isConnected(come.data) ? (
            <Alert color="green" variant="light" icon={<IconPlugConnected aria-hidden />} title={t('invite.connected', { name: come.data?.name ?? '' })}>
              <LinkButton to={`/${plural}/${used.component}`} variant="default" size="xs">{t('invite.show')}</LinkButton>
            </Alert>
          ) : (
            <Group gap="sm" wrap="nowrap"><Loader size={18} /><Text size="sm">{used ? t('invite.joined', { address: used.address }) : t('invite.waiting')}</Text></Group>
          )}
        </div>
        <Text size="xs" c="dimmed">{t('invite.once')}</Text>
      </Stack>
    </Paper>
  );
}

const isConnected = (come: Shown | null | undefined): boolean => typeof come?.state === 'object' && come.state.reachable === true;
