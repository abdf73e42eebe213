import { Alert, Button, Code, CopyButton, Group, Modal, SimpleGrid, Stack } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { queries, signedIn } from '../queries.ts';
import { showRecoveryCodes, useRecoveryCodes } from './recovery-store.ts';

/** New recovery codes, until their owner says that they are kept. */
export default function RecoveryCodes() {
  const { t } = useTranslation();
  const codes = useRecoveryCodes();
  const done = () => {
    showRecoveryCodes(null);
    void queries.invalidateQueries({ queryKey: signedIn.queryKey });
  };
  const download = () => {
    const address = URL.createObjectURL(new Blob([`${(codes ?? []).join('\n')}\n`], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = t('factor.codes_file');
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <Modal size={520} opened={codes !== null} onClose={done} title={t('factor.codes')} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false}>
      <Stack>
        <Alert color="orange" variant="light">{t('factor.codes_once')}</Alert>
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" verticalSpacing="xs" data-testid="recovery-codes">
          {(codes ?? []).map((code) => <Code key={code} fz="sm" ta="center">{code}</Code>)}
        </SimpleGrid>
        <Group justify="space-between">
          <Group gap="xs">
            <CopyButton value={(codes ?? []).join('\n')}>
              {({ copied, copy }) => (
                <Button variant="default" leftSection={copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />} onClick={copy}>{t(copied ? 'copied' : 'copy')}</Button>
              )}
            </CopyButton>
            <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} onClick={download} data-testid="download-codes">{t('factor.download')}</Button>
          </Group>
          <Button onClick={done} data-autofocus data-testid="codes-kept">{t('factor.kept')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
