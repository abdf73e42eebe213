import { TextInput, Textarea } from '@mantine/core';
import { post, type SessionView } from '@oriel/api/management';
import { IconLogout, IconMessage, IconPlugX, IconPower } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { BulkAction } from '../list/Bulk.tsx';

/** What can be done with sessions, one or many. */
export function useSessionActions(): BulkAction<SessionView>[] {
  const { t } = useTranslation();
  return [
    {
      key: 'message', label: t('session.do.message'), icon: IconMessage,
      ask: {
        title: t('session.do.message'), text: t('session.ask.message'), verb: t('message.send'),
        ready: (value) => (value.text ?? '').trim() !== '',
        fields: (value, set) => (
          <>
            <TextInput label={t('session.message.title')} maxLength={200} value={value.title ?? ''} data-autofocus onChange={(event) => set({ ...value, title: event.currentTarget.value })} />
            <Textarea label={t('session.message.text')} required autosize minRows={3} maxLength={2000} value={value.text ?? ''} onChange={(event) => set({ ...value, text: event.currentTarget.value })} />
          </>
        ),
      },
      run: ({ id }, value) => post(`/sessions/${id}/message`, { title: value.title || t('session.message.default_title'), text: value.text }),
    },
    { key: 'disconnect', label: t('session.do.disconnect'), icon: IconPlugX, ask: { title: t('session.do.disconnect'), text: t('session.ask.disconnect') }, run: ({ id }) => post(`/sessions/${id}/disconnect`) },
    { key: 'log-off', label: t('session.do.log_off'), icon: IconLogout, danger: true, ask: { title: t('session.do.log_off'), text: t('session.ask.log_off') }, run: ({ id }) => post(`/sessions/${id}/log-off`) },
    { key: 'reset', label: t('session.do.reset'), icon: IconPower, danger: true, ask: { title: t('session.do.reset'), text: t('session.ask.reset') }, run: ({ id }) => post(`/sessions/${id}/reset`) },
  ];
}
