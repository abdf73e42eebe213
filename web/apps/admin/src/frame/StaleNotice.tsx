import { Alert } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useConnection, useLostAt } from '../live/events.ts';
import { moment } from '../ui/time.ts';

/** Says that what is shown may be old, for as long as the broker is not heard. */
export function StaleNotice() {
  const { t, i18n } = useTranslation();
  const connection = useConnection();
  const lostAt = useLostAt();
  return (
    <div role="status" aria-live="polite">
      {connection === 'lost' && (
        <Alert color="orange" variant="light" icon={<IconPlugConnectedX aria-hidden />} title={t('stale.title')} mb="md" data-testid="stale">
          {t('stale.text', { when: lostAt === null ? '' : moment(new Date(lostAt).toISOString(), i18n.language) })}
        </Alert>
      )}
    </div>
  );
}
