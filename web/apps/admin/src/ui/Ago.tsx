import { useTranslation } from 'react-i18next';
import { useTick } from './tick.ts';
import { ago, moment } from './time.ts';

const NOWRAP = { whiteSpace: 'nowrap' } as const;

/** How long ago, kept true; the moment itself on pointing at it. */
export function Ago({ when }: { when: string }) {
  const { i18n } = useTranslation();
  useTick();
  return <time dateTime={when} title={moment(when, i18n.language)} style={NOWRAP}>{ago(when, i18n.language)}</time>;
}
