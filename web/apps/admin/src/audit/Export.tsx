import { Button } from '@mantine/core';
import { addressOf, type Query } from '@oriel/api/management';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

/** The entries that are wanted as a file, however many: a line of JSON for each, oldest first. */
export function Export({ query }: { query: Query }) {
  const { t } = useTranslation();
  return (
    <Button component="a" href={addressOf('/audit/export', query)} download="oriel-log.jsonl" variant="default" leftSection={<IconDownload size={18} aria-hidden />} data-testid="export">
      {t('audit.export')}
    </Button>
  );
}
