import { Group, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

/** Says that something is not the user's to change, and whose policy says so. */
export function Locked({ policy, text }: { policy: string; text?: string }) {
  const { t } = useTranslation();
  return (
    <Group component="span" gap={6} wrap="nowrap" align="flex-start" data-testid="locked">
      <IconLock size={15} style={{ flex: 'none', marginTop: 2 }} aria-hidden />
      <Text component="span" size="xs">
        {text !== undefined && `${text} `}
        {t('locked.by', { policy })}
      </Text>
    </Group>
  );
}
