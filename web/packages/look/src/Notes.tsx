import { Affix, Button, Notification } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NOTE_MS, notify, useNote } from './note.ts';

export function Notes() {
  const { t } = useTranslation();
  const note = useNote();
  const [held, setHeld] = useState(false);

  useEffect(() => {
    if (!note || held) return;
    const timer = window.setTimeout(() => notify(null), NOTE_MS);
    return () => window.clearTimeout(timer);
  }, [note, held]);

  return (
    <Affix position={{ bottom: 16, left: 16, right: 16 }} style={{ pointerEvents: 'none' }}>
      <div role="status" aria-live="polite">
        {note && (
          <Notification
            color={note.tone === 'bad' ? 'red' : 'frame'}
            title={note.title}
            withBorder
            maw={440}
            ml="auto"
            style={{ pointerEvents: 'auto' }}
            closeButtonProps={{ 'aria-label': t('close') }}
            onClose={() => notify(null)}
            onMouseEnter={() => setHeld(true)}
            onMouseLeave={() => setHeld(false)}
          >
            {note.text}
            {note.action && (
              <Button variant="default" size="xs" mt={note.text ? 'xs' : 4} onClick={() => { notify(null); note.action?.run(); }} data-testid="note-action">{note.action.label}</Button>
            )}
          </Notification>
        )}
      </div>
    </Affix>
  );
}
