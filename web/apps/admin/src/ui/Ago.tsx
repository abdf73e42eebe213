import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ago, moment } from './time.ts';

const EVERY_MS = 30_000;

/** How long ago, kept true; the moment itself on pointing at it. */
export function Ago({ when }: { when: string }) {
  const { i18n } = useTranslation();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((count) => count + 1), EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  return <time dateTime={when} title={moment(when, i18n.language)} style={{ whiteSpace: 'nowrap' }}>{ago(when, i18n.language)}</time>;
}
