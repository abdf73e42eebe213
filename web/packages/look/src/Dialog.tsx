import { Modal, type ModalProps } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/**
 * A dialog that is there for as long as it is open. The kit gives the focus back where a dialog outlives its closing;
 * one that goes with it must do so itself, or whoever works with the keyboard begins anew at the top of the page.
 */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const { t } = useTranslation();
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (document.activeElement === document.body && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    },
    [opener],
  );
  return <Modal opened closeButtonProps={{ 'aria-label': t('close') }} {...props} />;
}
