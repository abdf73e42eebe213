import { Button, Group, Modal, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Asks before something that cannot be taken back. The harmless answer has the focus. */
export function Confirm(props: {
  opened: boolean;
  close: () => void;
  title: string;
  text: string;
  action: string;
  busy?: boolean;
  onConfirm: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Modal opened={props.opened} onClose={props.close} title={props.title} closeButtonProps={{ 'aria-label': t('close') }}>
      <Text size="sm">{props.text}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={props.close} data-autofocus>
          {t('cancel')}
        </Button>
        <Button color="red.8" loading={props.busy ?? false} onClick={props.onConfirm} data-testid="confirm">
          {props.action}
        </Button>
      </Group>
    </Modal>
  );
}
