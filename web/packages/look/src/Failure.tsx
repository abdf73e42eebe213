import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Words } from './words.ts';

/** A failure in words, with a way to try again. */
export function Failure({ words, retry }: { words: Words; retry?: (() => void) | undefined }) {
  const { t } = useTranslation();
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={words.title} role="alert" maw={560}>
      <Stack gap="sm" align="flex-start">
        {words.detail !== '' && <Text size="sm">{words.detail}</Text>}
        {words.advice !== '' && <Text size="sm">{words.advice}</Text>}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {t('try_again')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
