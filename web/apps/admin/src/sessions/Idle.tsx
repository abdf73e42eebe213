import type { SessionView } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { useTick } from '../ui/tick.ts';
import { duration } from '../ui/time.ts';

/** From then on the broker tells when input comes; before, nobody knows whether some has come meanwhile. */
const IDLE_SECS = 300;

/** For how long nobody has sat there, counted on by itself. */
export function Idle({ session }: { session: SessionView }) {
  const { t } = useTranslation();
  useTick();
  if (session.idle_secs < IDLE_SECS) return <>{t('session.in_use')}</>;
  return <>{duration((Date.now() - Date.parse(session.last_input_at)) / 1000)}</>;
}
