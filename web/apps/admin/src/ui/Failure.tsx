import { Failure as InWords } from '@oriel/look/failure';
import { useTranslation } from 'react-i18next';
import { wordsOf } from './words.ts';

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  return <InWords words={wordsOf(error, t)} retry={retry} />;
}
