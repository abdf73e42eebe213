import { Alert } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Ago } from '../ui/Ago.tsx';
import { authorOf } from '../ui/words.ts';
import { useEditors } from './editors.ts';

/** Says who else edits an object, as soon as they do. */
export function OtherEditors({ kind, id, isEditing }: { kind: string; id: string; isEditing: boolean }) {
  const { t } = useTranslation();
  const editors = useEditors(kind, id);
  return (
    <div role="status" aria-live="polite">
      {editors.length > 0 && (
        <Alert color={isEditing ? 'orange' : 'frame'} variant="light" icon={<IconUsers aria-hidden />} title={t('editors.title', { count: editors.length })} mb="md" data-testid="editors">
          {editors.map(({ name, session, since }) => (
            <div key={`${name} ${session ?? ''} ${since}`}>{authorOf(name, t)}: {t('editors.began')} <Ago when={since} /></div>
          ))}
          {isEditing && t('editors.advice')}
        </Alert>
      )}
    </div>
  );
}
