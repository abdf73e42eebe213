import { useTranslation } from 'react-i18next';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { SessionList } from '../sessions/SessionList.tsx';
import { useMay } from '../sign-in/use-may.ts';

export default function Sessions() {
  const { t } = useTranslation();
  const may = useMay();
  if (!may('sessions')) return <NotFound />;
  return (
    <>
      <PageHead title={t('nav.sessions')} />
      <SessionList />
    </>
  );
}
